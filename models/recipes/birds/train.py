#!/usr/bin/python3
"""Trains an embedding of birds on 100 species of CUB-200-2011.

The data (Wah et al. 2011) are for non-commercial research: neither
pictures nor weights are shipped; this network serves to measure speed and
retrieval.  --data has images/SPECIES/NAME.jpg.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

from finetune import parser_of, run  # noqa: E402


def main():
    args = parser_of(__doc__, steps=60, views=4, batch_labels=12,
                     loss="semi-hard").parse_args()
    run(args, "Birds", "non-commercial research only",
        os.path.join(args.data, "images"))


if __name__ == "__main__":
    main()
