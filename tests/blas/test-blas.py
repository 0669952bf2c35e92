#!/usr/bin/python3
"""test-blas.py CAMLENS BROKEN_BLAS [PLUG-IN]: the right kernels of OpenBLAS

BROKEN_BLAS is preloaded: it plays an OpenBLAS that does not know the processor,
or one whose kernels are wrong, and counts how often the program starts.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
CAMLENS, BROKEN = sys.argv[1:3]
PLUG_IN = sys.argv[3] if len(sys.argv) > 3 else None
folder = tempfile.TemporaryDirectory()
BEST = {'baseline': None, 'v3': 'Haswell', 'v4': 'SkylakeX'}


def run(words=None, **variables):
    """output, messages, and how often the program started"""
    starts = os.path.join(folder.name, 'starts')
    open(starts, 'w', encoding='ascii').close()
    clean = {k: v for k, v in os.environ.items()
             if not k.startswith(('OPENBLAS_', 'CAMLENS_BLAS', 'BLAS_'))}
    got = subprocess.run(words or [CAMLENS, '--version'], text=True,
                         capture_output=True, timeout=60,
                         env={**clean, 'LD_PRELOAD': BROKEN,
                              'BLAS_STARTS': starts, **variables})
    with open(starts, encoding='ascii') as file:
        return got.stdout, got.stderr, len(file.readlines())


def kernel(output):
    return output.split(' with ')[1].split(' kernels')[0]


version, errors, starts = run()
level = version.split('processor level ')[1].strip()
best = BEST[level]
tap.check(starts <= 2 and not errors,
          f'by itself: {kernel(version)} on level {level}', version, errors)
if level == 'v4':
    tap.check(kernel(version) in ('SkylakeX', 'Cooperlake', 'SapphireRapids'),
              'kernels for AVX-512 are used', version)

if best:
    out, errors, starts = run(BLAS_OLD='1')
    tap.check(kernel(out) == best and starts == 2 and not errors,
              f'an old OpenBLAS is told to use {best}, by one more start',
              out, errors, f'{starts} starts')
    out, errors, starts = run(BLAS_OLD='1', OPENBLAS_CORETYPE='Nehalem')
    tap.check(kernel(out) == 'Nehalem' and starts == 1 and not errors,
              "a user's choice stays", out, errors)
    out, errors, starts = run(BLAS_OLD='1', BLAS_WRONG=best)
    tap.check(kernel(out) not in (best, 'Prescott') and 2 < starts <= 4
              and not errors, f'where {best} is wrong, {kernel(out)} is used',
              out, errors, f'{starts} starts')
    out, errors, starts = run(BLAS_OLD='1', BLAS_WRONG='SkylakeX,Haswell')
    tap.check(kernel(out) == 'Sandybridge' and starts <= 5 and not errors,
              'two wrong ones are passed over', out, errors)

out, errors, starts = run(BLAS_WRONG='*')
tap.check(starts <= 8 and 'wrong products' in errors,
          'where all are wrong the program says so, and does not loop',
          f'{starts} starts', errors)
out, errors, starts = run(BLAS_OLD='1', BLAS_WRONG='Nehalem',
                          OPENBLAS_CORETYPE='Nehalem')
tap.check(starts == 1 and 'wrong products' in errors,
          "a user's choice stays where it is wrong, with a warning", errors)

model = os.path.join(os.path.dirname(__file__), '..', 'fuzz', 'corpus')
model = next(os.path.join(model, f) for f in sorted(os.listdir(model))
             if f.startswith('conv') and f.endswith('.onnx'))
out, errors, starts = run([CAMLENS, 'bench', model, '--json', '--repeat', '1'],
                          BLAS_OLD='1')
tap.check(bool(out) and json.loads(out)['blas_kernel'] == (best or 'Prescott'),
          'bench names the kernels', out, errors)

if PLUG_IN is None:
    tap.skip('the plug-in chooses too', 'it is not built here')
elif best:
    # outside GIMP it only says that it is a plug-in: after its choice
    _, errors, starts = run([PLUG_IN], BLAS_OLD='1')
    tap.check(starts == 2, 'the plug-in chooses too, by one more start',
              f'{starts} starts', errors)
    _, errors, starts = run([PLUG_IN], BLAS_WRONG='*')
    tap.check(starts <= 8, 'the plug-in does not loop', f'{starts} starts')
sys.exit(tap.done())
