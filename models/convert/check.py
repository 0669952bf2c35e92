"""Compares what camlens computes with what the source computes."""
import os
import subprocess
import tempfile

import numpy as np
from PIL import Image

NETWORK_LIMIT = 1e-3        # of the largest value of each output
PREPROCESSING_LIMIT = 1.01  # levels of 255


def run(*command):
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        raise SystemExit(f"“{command[0]}” is not in the path: name the "
                         "program with --camlens")
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{' '.join(command)}: failed "
                         f"({error.returncode})")


def compare(camlens, path, x, expected):
    """`expected`: {tensor name: array}; x is the network's input."""
    with tempfile.TemporaryDirectory() as scratch:
        files = {n: os.path.join(scratch, f"{i}.npy")
                 for i, n in enumerate(expected)}
        source = os.path.join(scratch, "x.npy")
        np.save(source, x.astype(np.float32))
        run(camlens, "run", path, "--input", source,
            *(f"--fetch={n}={f}" for n, f in files.items()))
        for name, want in expected.items():
            got = np.load(files[name]).reshape(want.shape)
            worst = np.abs(got - want).max() / max(np.abs(want).max(), 1e-12)
            print(f"{name}: differs by at most {worst:.2e} of its largest "
                  "value")
            if not worst < NETWORK_LIMIT:
                raise SystemExit("camlens and the source disagree")


def check_network(camlens, path, outputs, shape, names, seed=1):
    """The ONNX file in camlens beside the PyTorch module."""
    import onnx
    import torch
    onnx.checker.check_model(path)
    x = np.random.default_rng(seed).standard_normal(shape)
    x = x.astype(np.float32)
    with torch.no_grad():
        values = [t.numpy() for t in outputs(torch.from_numpy(x))]
    compare(camlens, path, x, dict(zip(names, values)))


def a_picture(path, seed=1):
    """Smooth shapes and noise, 301 x 215: no size that hides an error."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 13, 3), np.uint8))
    array = np.asarray(small.resize((301, 215), Image.BICUBIC)).astype(int)
    array = np.clip(array + rng.integers(-20, 21, array.shape), 0, 255)
    Image.fromarray(array.astype(np.uint8)).save(path)


def compare_inputs(camlens, path, expected, std):
    """What camlens feeds the network beside expected(picture).

    `std` is the channels', first in memory or last.
    """
    with tempfile.TemporaryDirectory() as scratch:
        picture = os.path.join(scratch, "picture.png")
        array = os.path.join(scratch, "x.npy")
        a_picture(picture)
        run(camlens, "embed", "-m", path, "--inputs", array, picture)
        got = np.load(array)[0]
        want = expected(Image.open(picture))
    if got.shape != want.shape:
        raise SystemExit(f"preprocessing: camlens makes {got.shape}, the "
                         f"source {want.shape}")
    std = np.reshape(std, (3, 1, 1) if got.shape[0] == 3 else 3)
    worst = (np.abs(got - want) * 255 * std).max()
    print(f"preprocessing: differs by at most {worst:.2f} levels of 255")
    if not worst < PREPROCESSING_LIMIT:
        raise SystemExit("camlens and the source prepare pictures "
                         "differently")


def check_preprocessing(camlens, path, transform, std):
    """For a transform of PyTorch's."""
    compare_inputs(camlens, path, lambda p: transform(p).numpy(), std)
