"""threads.py: PyTorch on as many threads as it is told

torch.set_num_threads leaves those of the OpenBLAS behind Debian's PyTorch
alone, which does its matrix products and pointwise convolutions.
"""
import ctypes

import torch


def use_threads(n):
    torch.set_num_threads(n)
    try:
        ctypes.CDLL('libopenblas.so.0').openblas_set_num_threads(n)
    except OSError:
        pass  # another BLAS
