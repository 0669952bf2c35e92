"""bench-build.py -- the rate of a build beside those of its stages

    bench-build.py CAMLENS BENCH-STAGES MODEL.onnx FOLDER [JOBS] [ROUNDS]

In turn, all with JOBS threads: decoding alone, forward passes alone, and
`camlens build` (Grad-CAM, 50 triplets, block_16_expand_relu).  Prints medians
in pictures a second.  "bound": a core's time for decoding and a forward pass
are added up, as where both are on the same cores.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

camlens, stages, model, folder = sys.argv[1:5]
jobs = sys.argv[5] if len(sys.argv) > 5 else '2'
rounds = int(sys.argv[6]) if len(sys.argv) > 6 else 3


def build(out):
    done = subprocess.run(
        [camlens, 'build', '-q', '--json', '--restart', '--jobs', jobs, '-m',
         model, '-o', out, '--layer', 'block_16_expand_relu', folder],
        check=True, capture_output=True, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return told['pictures'] / told['seconds']


rows = []
with tempfile.TemporaryDirectory() as scratch:
    for _ in range(rounds):
        told = subprocess.run([stages, model, folder, jobs], check=True,
                              capture_output=True, text=True).stdout.split()
        decoding, forward = map(float, told)
        rows.append((decoding, forward, 1 / (1 / decoding + 1 / forward),
                     build(os.path.join(scratch, 'built.camdb'))))
for name, column in zip(('decoding alone', 'forward alone', 'bound', 'build'),
                        zip(*rows)):
    print(f'{name:16}{statistics.median(column):8.1f} pictures/s   '
          + ' '.join(f'{value:.1f}' for value in column))
