"""conversion.py -- what the tests of models/convert share

The command line is CAMLENS SOURCE; files go to a folder that ends with the
test.
"""
import configparser
import contextlib
import io
import os
import subprocess
import sys
import tempfile

CAMLENS, SOURCE = sys.argv[1], sys.argv[2]
CONVERT = os.path.join(SOURCE, 'models', 'convert')
sys.path.insert(0, CONVERT)

_scratch = tempfile.TemporaryDirectory()
SCRATCH = _scratch.name
ENV = dict(os.environ, LC_ALL='C.UTF-8', XDG_DATA_DIRS='/nonexistent',
           XDG_DATA_HOME=os.path.join(SCRATCH, 'data'),
           PYTHONDONTWRITEBYTECODE='1')


def path(*names):
    return os.path.join(SCRATCH, *names)


def run(*arguments, **environment):
    return subprocess.run(list(map(str, arguments)),
                          env=dict(ENV, **environment), timeout=240,
                          capture_output=True, text=True, check=False)


def convert(script, *arguments, **environment):
    return run('/usr/bin/python3', os.path.join(CONVERT, script), *arguments,
               '--camlens', CAMLENS, **environment)


def said(done):
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def settings(folder):
    parser = configparser.ConfigParser()
    parser.read(path(folder, 'model.ini'))
    return dict(parser['camlens']) if 'camlens' in parser else {}


def stops(function, *arguments):
    """what the SystemExit says, None where there is none"""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            function(*arguments)
    except SystemExit as error:
        return str(error)
    return None
