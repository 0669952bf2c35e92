#!/usr/bin/python3
"""Trains an embedding of butterflies on the Leeds Butterfly data set.

The data (Wang, Markert, Everingham, BMVC 2009) are for research: neither
pictures nor weights are shipped; this network serves to measure the method
against masks.  --data has images/SPECIES/NAME.jpg and masks/ alike.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

from finetune import parser_of, run  # noqa: E402


def main():
    args = parser_of(__doc__, steps=100, views=4, batch_labels=10,
                     rate=5e-4, margin=0.5).parse_args()
    run(args, "Butterflies", "research use only",
        os.path.join(args.data, "images"), os.path.join(args.data, "masks"))


if __name__ == "__main__":
    main()
