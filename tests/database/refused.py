"""refused.py -- what a database cannot be built of: networks that tell pictures
not apart, labels that say nothing or two things
"""
import json
import os
import shutil
import sqlite3
import sys

import numpy as np
from PIL import Image

from building import at, build, camlens, command, folder, leftovers, run, tap
import toy


def network(name, **weights):
    """the toy network with other weights"""
    return toy.make_model(at(name), {**toy.make_weights(), **weights})


def build_with(model, name, *options, pictures='pictures', layer='relu4'):
    words = command(name, pictures, *options, layer=layer)
    words[words.index('-m') + 1] = model
    return run(*words)


def check_collapsed():
    rng = np.random.default_rng(1)
    gemm = toy.make_weights()['gemm.w']
    bias = rng.standard_normal(toy.DIM).astype('f4')
    for name, weights, word in (
            ('collapsed', {'gemm.w': 0 * gemm, 'gemm.b': bias}, 'same'),
            ('rounded', {'gemm.w': 1e-8 * gemm, 'gemm.b': bias}, 'same'),
            ('zeros', {'gemm.w': 0 * gemm, 'gemm.b': 0 * bias}, 'length 0')):
        for layer in 'relu4', 'auto':
            for option in (), ('--compact',), ('--score', 'dot'):
                done = build_with(network(name, **weights), name + '.camdb',
                                  *option, layer=layer)
                tap.check(done.returncode == 1 and word in done.stderr
                          and 'embedding' in done.stderr
                          and not os.path.exists(at(name + '.camdb'))
                          and leftovers(name + '.camdb') == [],
                          f'{name}, {layer}, {option}: refused, and why',
                          done.returncode, done.stderr)
    done = build_with(network('nearly', **{'gemm.w': 1e-5 * gemm,
                                           'gemm.b': bias}), 'nearly.camdb')
    tap.check(done.returncode == 0 and run(camlens, 'db', 'verify',
                                           at('nearly.camdb')).returncode == 0,
              'what is more than rounding is a difference', done.stderr)


def check_old_collapsed():
    """as a build of before wrote it: every embedding that of the first"""
    for name, options in ('old.camdb', ()), ('old-compact.camdb',
                                             ('--compact',)):
        build(name, 'pictures', *options, clusters=1)
        with sqlite3.connect(at(name)) as file:
            file.execute("UPDATE info SET value = 50 WHERE key ="
                         " 'clusters_wanted'")
            file.execute('UPDATE cluster SET weights = zeroblob'
                         ' (length (weights))')
            if not options:
                file.execute('UPDATE exemplar SET similarity = 1')
                file.execute('UPDATE picture SET weights = zeroblob'
                             ' (length (weights)), similarity = 1, embedding ='
                             ' (SELECT centroid FROM cluster)')
        file.close()
        done = run(camlens, 'db', 'verify', at(name))
        tap.check(done.returncode == 1 and 'the same' in done.stderr,
                  f'{name}: verify does not call it good', done.stdout,
                  done.stderr)
        done = run(camlens, 'explain', '-m', at('model/model.onnx'), '-d',
                   at(name), at('pictures/label0/0000.png'), '--json')
        tap.check('the same' in done.stderr
                  and json.loads(done.stdout)['empty'],
                  'and explain says why its map is empty', done.stderr)


def check_partly_zero():
    """a picture that the network has nothing to say of"""
    zero = {name: 0 * array for name, array in toy.make_weights().items()
            if name.endswith('.b')}
    shutil.copytree(at('pictures'), at('partly'))
    for label in 0, 1:
        Image.new('RGB', (toy.SIDE, toy.SIDE), (128, 128, 128)).save(
            at('partly', f'label{label}', '0001.png'))
    done = build_with(network('partly-zero', **zero), 'partly.camdb',
                      pictures='partly')
    paths = run('sqlite3', at('partly.camdb'),
                'SELECT path, reason FROM skipped').stdout.split('\n')
    tap.check(paths[:2] == ['label0/0001.png|zero embedding',
                            'label1/0001.png|zero embedding']
              and done.stderr.count('length 0') == 2,
              'pictures of no embedding are left out by name', paths,
              done.stderr)


def write_labels(rows):
    with open(at('labels.csv'), 'w', encoding='utf-8') as csv:
        csv.write('path,label\n')
        csv.writelines(f'{path},{label}\n' for path, label in rows)


def labelled(rows, *options, pictures='pictures'):
    """what a build of these labels says; {path: label} where it succeeds"""
    write_labels(rows)
    name = 'labelled.camdb'
    if os.path.exists(at(name)):
        os.unlink(at(name))
    done = build(name, pictures, '--labels', at('labels.csv'), '--restart',
                 *options)
    if done.returncode:
        return {}, done.stderr
    rows = run('sqlite3', at(name), 'SELECT path, label FROM picture').stdout
    return dict(row.split('|') for row in rows.split()), done.stderr


NAMES = [f'label{i}/{j:04d}.png' for i in range(3) for j in range(6)]


def check_values():
    def continuous(values, *options, names=NAMES):
        return labelled([(at('pictures', name), value)
                         for name, value in zip(names, values)],
                        '--continuous', *options)

    for values in ([3] * 18, ['3', '3.0', '3e0'] * 6, [-0.0, 0] * 9):
        got, told = continuous(values)
        tap.check(not got and 'all labels are' in told,
                  f'equal values are refused: {values[:3]}', told)
    for options in ('--score', 'dot'), ('--mining', 'semi-hard'):
        got, told = continuous([3] * 18, *options)
        tap.check(not got and 'all labels are 3' in told,
                  f'with {options}, too', told)
    got, told = continuous([3] * 5, names=NAMES[:5])
    tap.check(not got and 'all labels are 3' in told,
              'and where those without a value are left out', told)
    for wrong in 'nan', 'inf', '1e999', 'x':
        for place in 0, 9:
            values = list(range(18))
            values[place] = wrong
            got, told = continuous(values)
            tap.check(not got and 'is no number' in told,
                      f'{wrong} in row {place} is refused', told)
    write_labels([])
    rows = [(at('pictures', name), value)
            for name, value in zip(NAMES, [3] * 17 + [7])]
    got, told = labelled(rows, '--continuous')
    alone = run('sqlite3', at('labelled.camdb'), 'SELECT path FROM picture'
                ' WHERE weights IS NULL').stdout.split()
    tap.check(got and alone == [NAMES[-1]] and '1 picture' in told,
              'one other value: it has no picture that is nearer than others',
              alone, told)


def check_names():
    base = [(f'{j:04d}.png', 'red' if j % 2 else 'blue') for j in range(6)]
    got, told = labelled(base)
    tap.check(not got and '“0000.png” is the name of 3 pictures' in told,
              'a name without folders that several have is refused', told)
    whole = [(name, 'red' if i % 2 else 'blue') for i, name in enumerate(NAMES)]
    got, told = labelled(whole)
    tap.check(got == dict(whole), 'with folders it is one picture\'s', told)
    here = [('./' + name, label) for name, label in whole]
    got, told = labelled(here)
    tap.check(got == dict(whole), 'also with "./"', told)
    got, told = labelled(whole + [('./label0/0001.png', 'green')])
    tap.check(not got and 'another label' in told,
              'one picture by two ways, two labels', told)
    got, told = labelled(whole + [(at('pictures', 'label0', '..', 'label0',
                                      '0001.png'), 'green')])
    tap.check(not got and 'two labels' in told and '0001.png' in told,
              'by an absolute way, too', told)
    os.symlink(at('pictures', 'label0'), at('linked'))
    by_link = [(at('linked', os.path.basename(name)) if name[5] == '0'
                else at('pictures', name), label) for name, label in whole]
    got, told = labelled(by_link)
    tap.check(got == dict(whole), 'a linked folder is that folder', told)
    got, told = labelled(by_link + [(at('pictures', 'label0', '0001.png'),
                                     'green')])
    tap.check(not got and 'two labels' in told, 'and says the same', told)
    shutil.copytree(at('pictures'), at('nested'))
    shutil.copy(at('nested', 'label0', '0000.png'), at('nested', '0000.png'))
    rows = [('0000.png', 'red')] + whole[1:]
    got, told = labelled(rows, pictures='nested')
    tap.check(got.get('0000.png') == 'red' and not got.get('label0/0000.png')
              and '1 picture is not in' in told,
              'a picture\'s whole name is not another\'s last part', told)
    single = [(name, label) for name, label in whole if name[5] == '0']
    shutil.copytree(at('pictures', 'label0'), at('single'))
    got, told = labelled([(os.path.basename(name), label)
                          for name, label in single], pictures='single')
    tap.check(len(got) == 6, 'a name that one picture has is enough', told)


toy.make_pictures(at('pictures'), 3, 6)
check_collapsed()
check_old_collapsed()
check_partly_zero()
check_values()
check_names()
folder.cleanup()
sys.exit(tap.done())
