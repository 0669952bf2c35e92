#!/usr/bin/python3
"""parrot.py CAMLENS FOLDER: ImageNet's MobileNetV2 on one real picture

FOLDER (or $CAMLENS_WEIGHTS) holds mobilenet_v2_1.0_224_imagenet.onnx and,
computed by PyTorch, the embedding and the logits of parrot_input.npy.  They
are others' work and not part of this project: where they are not, the test is
skipped.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

import numpy as np

MODEL = 'mobilenet_v2_1.0_224_imagenet.onnx'
TOLERANCE = 1e-4  # of the largest element
WANTED = {'embedding': 'parrot_imagenet_embedding.npy',
          'logits': 'parrot_imagenet_logits.npy'}


def main(program, folder):
    tap = Tap()
    folder = os.environ.get('CAMLENS_WEIGHTS', folder)
    if not os.path.exists(os.path.join(folder, MODEL)):
        print(f'1..0 # SKIP there is no {MODEL} in {folder}')
        return 0
    with tempfile.TemporaryDirectory() as out:
        words = [program, 'run', os.path.join(folder, MODEL), '--input',
                 os.path.join(folder, 'parrot_input.npy')]
        for name in WANTED:
            words += ['--fetch', f'{name}={out}/{name}.npy']
        subprocess.run(words, check=True)
        for name, file in WANTED.items():
            got = np.load(f'{out}/{name}.npy')
            wanted = np.load(os.path.join(folder, file))
            error = np.abs(got - wanted).max() / np.abs(wanted).max()
            tap.check(got.shape == wanted.shape and error <= TOLERANCE,
                      f'{name}: off by {error:.1e} of its largest element')
    return tap.done()


sys.exit(main(*sys.argv[1:3]))
