"""A stand-in for tf2onnx: see convert.py."""
