"""What a user's own Python file defines."""
import importlib.util
import os
import sys


def load_object(where):
    """The object NAME of FILE.py:NAME; the file's folder can be imported."""
    path, _, name = where.rpartition(":")
    if not path or not os.path.isfile(path):
        raise SystemExit(f"“{where}” should be FILE.py:NAME of a file that "
                         "exists")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location("network_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise SystemExit(f"{path} has no “{name}”")
    return getattr(module, name)
