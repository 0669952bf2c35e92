"""worker-torch.py NETWORK INPUT.npy THREADS: the protocol of worker-camlens.c

The network itself in inference mode, not its ONNX file: eager PyTorch, as its
users run it.
"""
import os
import sys
import time

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'torch')]
from networks import build  # noqa: E402
from threads import use_threads  # noqa: E402


def main():
    name, file, threads = sys.argv[1:]
    use_threads(int(threads))
    x = torch.from_numpy(np.load(file))
    print('started', torch.__version__, flush=True)
    network = build(name)
    with torch.inference_mode():
        result = network(x)
        print('ready', flush=True)
        for line in sys.stdin:
            command, argument = line.split()
            if command == 'run':
                times = []
                for _ in range(int(argument)):
                    start = time.perf_counter()
                    result = network(x)
                    times.append((time.perf_counter() - start) * 1e3)
                print(*(f'{t:.3f}' for t in times), flush=True)
            elif command == 'save':
                result.numpy().tofile(argument)
                print('saved', flush=True)


main()
