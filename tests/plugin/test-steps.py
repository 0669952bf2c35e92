#!/usr/bin/python3
"""test-steps.py TEST-STEPS CAMLENS: a model and databases of its layers

Of three layers: two have the same sizes, one has others.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(__file__)
sys.path[:0] = [os.path.join(HERE, '..', 'style'), os.path.join(HERE, '..',
                                                                'cli')]
from tap import Tap  # noqa: E402

try:
    import numpy as np
    import small
except ImportError as error:
    tap = Tap()
    tap.skip('steps', f'{error.name} is missing')
    sys.exit(tap.done())

LAYERS = {'features': 24, 'block1': 8, 'c3': 24}


def main():
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as folder:
        model = small.write_model(folder)
        databases = []
        for layer, channels in LAYERS.items():
            np.save(os.path.join(folder, 'centroids.npy'),
                    rng.normal(0, 1, (2, small.DIM)).astype(np.float32))
            np.save(os.path.join(folder, 'weights.npy'),
                    rng.normal(0, 1, (2, channels)).astype(np.float32))
            databases.append(os.path.join(folder, f'{layer}.camdb'))
            subprocess.run([sys.argv[2], 'db', 'import', '--npy', folder, '-m',
                            model, '--layer', layer, '--metric', 'cosine',
                            '-o', databases[-1]], check=True)
        return subprocess.run([sys.argv[1], model, *databases],
                              check=False).returncode


sys.exit(main())
