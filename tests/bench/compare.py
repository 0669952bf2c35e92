#!/usr/bin/python3
"""compare.py WORKER: our forward pass beside ONNX Runtime's and PyTorch's

WORKER is the program worker-camlens of the build tree.  Installs a pinned
onnxruntime-node from npm into a scratch folder (--scratch, kept for the next
time), exports the networks of networks.py at 224 x 224, and for each network,
batch and number of threads keeps a process of each engine and asks them in
turn, A B C A B C, for a few passes.  The ratio of a turn is that of the best
times within it; printed are medians over the turns, and the geometric mean
over the cells.

Memory: the process's peak, and in brackets the growth from before the model
was opened (what is left are the weights, the activations and the peak of
loading; without Node.js, Python and the libraries).
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from networks import NETWORKS, export  # noqa: E402

ONNX_RUNTIME = '1.30.0'
MIB = 1 << 20


def install_onnx_runtime(scratch):
    """NODE_PATH of the pinned version; its scripts, which would fetch parts
    for GPUs from elsewhere, do not run"""
    folder = os.path.join(scratch, f'onnxruntime-{ONNX_RUNTIME}')
    modules = os.path.join(folder, 'node_modules')
    if not os.path.exists(os.path.join(modules, 'onnxruntime-node')):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(['npm', 'install', '--ignore-scripts', '--no-audit',
                        '--no-fund', '--prefix', folder,
                        f'onnxruntime-node@{ONNX_RUNTIME}'], check=True,
                       stdout=subprocess.DEVNULL)
    return modules


class Worker:
    """One engine's process: peak of memory and times on demand"""

    def __init__(self, command, environment=None):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})})
        self.version = self.expect('started')
        self.before = self.memory('VmRSS')
        self.expect('ready')

    def expect(self, word):
        line = self.process.stdout.readline().split()
        if not line or line[0] != word:
            sys.exit(f'{self.process.args[0]} said {line}, not "{word}"')
        return ' '.join(line[1:])

    def memory(self, key):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as f:
            for line in f:
                if line.startswith(key + ':'):
                    return int(line.split()[1]) * 1024
        return 0

    def ask(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def run(self, n):
        self.ask(f'run {n}')
        return [float(t) for t in self.process.stdout.readline().split()]

    def save(self, path):
        self.ask(f'save {path}')
        self.expect('saved')

    def close(self):
        peak = self.memory('VmHWM')
        self.process.stdin.close()
        self.process.wait()
        return peak, peak - self.before


def start(engine, options, name, folder, threads, shape):
    def path(file):
        return os.path.join(folder, file)
    if engine == 'camlens':
        return Worker([options.worker, path('model.onnx'), path('x.npy'),
                       str(threads)])
    if engine == 'onnxruntime':
        return Worker(['node', os.path.join(HERE, 'worker-onnxruntime.js'),
                       path('model.onnx'), path('x.f32'),
                       ','.join(map(str, shape)), str(threads)],
                      {'NODE_PATH': options.modules})
    return Worker(['/usr/bin/python3', os.path.join(HERE, 'worker-torch.py'),
                   name, path('x.npy'), str(threads)])


def read_output(engine, worker, folder):
    path = os.path.join(folder, 'out')
    if engine == 'camlens':
        worker.save(path + '.npy')
        return np.load(path + '.npy').ravel()
    worker.save(path)
    return np.fromfile(path, np.float32)


def take_turns(workers, options):
    """times [engine][turn]: the best of each turn"""
    once = {e: min(w.run(3)) for e, w in workers.items()}
    n = max(1, min(20, int(options.turn / max(once.values()))))
    times = {e: [] for e in workers}
    for _ in range(options.turns):
        for engine, worker in workers.items():
            time.sleep(0.02)  # the other's threads go to sleep
            worker.run(1)
            times[engine].append(min(worker.run(n)))
    return times


def measure(options, name, batch, threads):
    torch.manual_seed(batch)
    picture = torch.randn(batch, 3, options.size, options.size)
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, 'x.npy'), picture.numpy())
        picture.numpy().tofile(os.path.join(folder, 'x.f32'))
        export(name, picture, os.path.join(folder, 'model.onnx'))
        workers = {e: start(e, options, name, folder, threads, picture.shape)
                   for e in options.engines}
        times = take_turns(workers, options)
        outputs = {e: read_output(e, w, folder) for e, w in workers.items()}
        memory = {e: w.close() for e, w in workers.items()}
    ours = outputs['camlens']
    return {'network': name, 'batch': batch, 'threads': threads,
            'versions': {e: w.version for e, w in workers.items()},
            'ms': {e: statistics.median(t) for e, t in times.items()},
            'ratio': {e: statistics.median(
                a / b for a, b in zip(times['camlens'], t))
                for e, t in times.items() if e != 'camlens'},
            'peak': {e: m[0] for e, m in memory.items()},
            'growth': {e: m[1] for e, m in memory.items()},
            'error': {e: float(np.abs(ours - o).max() / np.abs(o).max())
                      for e, o in outputs.items() if e != 'camlens'}}


def print_cell(cell):
    words = [f'{cell["network"]:16} batch {cell["batch"]} threads '
             f'{cell["threads"]}']
    for engine, ms in cell['ms'].items():
        words.append(f'{engine} {ms:.2f} ms, '
                     f'{cell["peak"][engine] / MIB:.0f} '
                     f'({cell["growth"][engine] / MIB:.0f}) MiB')
    for engine, ratio in cell['ratio'].items():
        words.append(f'/{engine} {ratio:.3f}, differs by '
                     f'{cell["error"][engine]:.1e}')
    print('; '.join(words), flush=True)


def geometric_mean(values):
    return math.exp(statistics.mean(map(math.log, values)))


def print_summary(cells):
    for engine in cells[0]['ratio']:
        ratios = [c['ratio'][engine] for c in cells]
        memory = [c['growth']['camlens'] / c['growth'][engine] for c in cells]
        whole = [c['peak']['camlens'] / c['peak'][engine] for c in cells]
        print(f'time / {engine}: geometric mean {geometric_mean(ratios):.3f}, '
              f'worst cell {max(ratios):.3f}; memory / {engine}: growth '
              f'{geometric_mean(memory):.3f}, worst {max(memory):.3f}, whole '
              f'{geometric_mean(whole):.3f}, worst {max(whole):.3f}')


def numbers(text):
    return [int(n) for n in text.split(',')]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('worker')
    parser.add_argument('--networks', default=','.join(NETWORKS))
    parser.add_argument('--batches', type=numbers, default=[1, 8])
    parser.add_argument('--threads', type=numbers, default=[1, 2])
    parser.add_argument('--size', type=int, default=224)
    parser.add_argument('--turns', type=int, default=15)
    parser.add_argument('--turn', type=float, default=150,
                        help='milliseconds of one engine in a turn')
    parser.add_argument('--engines', default='camlens,onnxruntime,torch')
    parser.add_argument('--scratch', default=os.path.join(
        tempfile.gettempdir(), 'camlens-bench'))
    parser.add_argument('--json', help='a file for all numbers')
    options = parser.parse_args()
    options.engines = options.engines.split(',')
    options.modules = install_onnx_runtime(options.scratch)
    cells = []
    for name in options.networks.split(','):
        for batch in options.batches:
            for threads in options.threads:
                cells.append(measure(options, name, batch, threads))
                print_cell(cells[-1])
    print_summary(cells)
    print('versions:', cells[0]['versions'])
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump(cells, file, indent=1)
    # a fast wrong answer is none
    return max(max(c['error'].values()) for c in cells) > 1e-3


if __name__ == '__main__':
    sys.exit(main())
