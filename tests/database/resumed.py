"""resumed.py -- what happened to the pictures, or to DB.partial, between an
interrupted build and --resume

A picture that is another now is embedded again, and said; whatever else differs
is refused by name; a damaged file ends in a message.
"""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
from PIL import Image

from building import at, build, command, folder, same, tap
import toy

LONG = ('--triplets', '200000')
EACH = 6
SIZE = 4000  # of a picture's file, filled up behind its end


def fill_up(path, pixels):
    Image.fromarray(pixels).save(path)
    with open(path, 'ab') as file:
        file.write(bytes(SIZE - file.tell()))


def seen(name):
    try:
        with sqlite3.connect(f'file:{at(name)}.partial?mode=ro&immutable=1',
                             uri=True) as file:
            return file.execute('SELECT count(*) FROM seen').fetchone()[0]
    except sqlite3.DatabaseError:
        return 0


def interrupt(name, pictures, total, *options, layer='relu4'):
    """a build that is killed when all pictures are embedded"""
    child = subprocess.Popen(command(name, pictures, '--jobs', '1', *LONG,
                                     *options, layer=layer),
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    while seen(name) < total and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    journal = at(name + '.partial-journal')
    if os.path.exists(journal):  # rolled back, so that the file can be copied
        with sqlite3.connect(at(name + '.partial')) as file:
            file.execute('SELECT count(*) FROM seen').fetchone()
        file.close()


def scenario(name, base='base', pictures='pictures'):
    """pictures and DB.partial of their own; (picture of, database's name)"""
    shutil.copytree(at(pictures), at(name))
    shutil.copy(at(base + '.partial'), at(name + '.camdb.partial'))
    return lambda *path: at(name, *path)


def resume(name, *options, layer='relu4'):
    done = build(name + '.camdb', name, '--resume', '--json', *LONG, *options,
                 layer=layer)
    return done, json.loads(done.stdout) if done.stdout else {}


def as_anew(name, *options, layer='relu4'):
    build(name + '-anew', name, *LONG, *options, layer=layer)
    return same(name + '.camdb', name + '-anew')


def check_unchanged():
    picture = scenario('touched')
    os.utime(picture('label0/0000.png'))
    done, said = resume('touched')
    tap.check(said.get('changed') == 0 and 'changed' not in done.stderr
              and said['resumed'] == 3 * EACH and as_anew('touched'),
              'copied or touched pictures have not changed', done.stderr)


def check_changed():
    picture = scenario('other')
    fill_up(picture('label1/0002.png'), toy.make_picture(1, 77))
    done, said = resume('other')
    tap.check(said.get('changed') == 1 and 'label1/0002.png' in done.stderr
              and said['resumed'] == 3 * EACH - 1 and as_anew('other'),
              'another picture is embedded again, by name', done.stderr)
    picture = scenario('set-back')
    for name in 'label1/0002.png', 'label2/0001.png':
        times = os.stat(picture(name))
        fill_up(picture(name), toy.make_picture(1, 78))
        os.utime(picture(name), ns=(times.st_atime_ns, times.st_mtime_ns))
    done, said = resume('set-back')
    tap.check(said.get('changed') == 2 and 'the first is label1/0002.png'
              in done.stderr and as_anew('set-back'),
              'also one of the same size and time', done.stderr)


def check_choice():
    """a layer that was chosen by a picture that is another now"""
    interrupt('chosen', 'pictures', 3 * EACH, layer='auto')
    picture = scenario('chosen-other', 'chosen')
    fill_up(picture('label1/0002.png'), toy.make_picture(1, 77))
    done, said = resume('chosen-other', layer='auto')
    tap.check(said.get('changed') == 1
              and as_anew('chosen-other', layer='auto'),
              'a changed picture has its say in the choice of a layer',
              done.stderr)


def check_unreadable():
    picture = scenario('broken')
    with open(picture('label0/0003.png'), 'wb') as file:
        file.write(b'no picture')
    done, said = resume('broken')
    tap.check([s['path'] for s in said.get('skipped', [])]
              == ['label0/0003.png'] and as_anew('broken'),
              'one that cannot be read any more is left out', done.stderr)
    interrupt('with-broken', 'broken', 3 * EACH)
    picture = scenario('mended', 'with-broken', 'broken')
    fill_up(picture('label0/0003.png'), toy.make_picture(0, 3))
    done, said = resume('mended')
    tap.check(said.get('skipped') == [] and as_anew('mended'),
              'one that could not be read is tried again', done.stderr)


def check_list():
    picture = scenario('gone')
    os.unlink(picture('label1/0001.png'))
    done, _ = resume('gone')
    tap.check(done.returncode == 1 and 'label1/0001.png is gone' in done.stderr,
              'a picture that is gone is named', done.stderr)
    picture = scenario('more')
    shutil.copy(picture('label1/0001.png'), picture('label1/00011.png'))
    done, _ = resume('more')
    tap.check(done.returncode == 1
              and 'label1/00011.png is new' in done.stderr,
              'and one that is new', done.stderr)
    scenario('named')
    labels = [(f'label{i}/{j:04d}.png', f'l{i}') for i in range(3)
              for j in range(EACH)]

    def write(rows):
        with open(at('labels.csv'), 'w', encoding='utf-8') as csv:
            csv.writelines(f'{at("named", path)},{label}\n'
                           for path, label in rows)

    os.unlink(at('named.camdb.partial'))
    write(labels)
    interrupt('named.camdb', 'named', 3 * EACH, '--labels', at('labels.csv'))
    write([(path, 'l2' if path == 'label1/0003.png' else label)
           for path, label in labels])
    done, _ = resume('named', '--labels', at('labels.csv'))
    tap.check(done.returncode == 1
              and 'label1/0003.png has another label' in done.stderr,
              'and one of another label', done.stderr)


def check_earlier():
    """DB.partial of a release that kept neither sizes nor times"""
    for name, change in ('earlier', False), ('earlier-other', True):
        picture = scenario(name)
        with sqlite3.connect(at(name + '.camdb.partial')) as file:
            for column in 'size', 'mtime', 'ctime':
                file.execute(f'ALTER TABLE seen DROP COLUMN {column}')
        file.close()
        if change:
            fill_up(picture('label1/0002.png'), toy.make_picture(1, 77))
        done, said = resume(name)
        tap.check(said.get('changed') == change and as_anew(name),
                  f'{name}: the digests tell', done.stderr)


def check_complete():
    shutil.copytree(at('pictures'), at('whole'))
    build('whole.camdb', 'whole')
    done = build('whole.camdb', 'whole', '--resume')
    tap.check('complete already' in done.stdout, 'a finished build is complete',
              done.stdout, done.stderr)
    fill_up(at('whole', 'label1/0002.png'), toy.make_picture(1, 77))
    build('compact.camdb', 'whole', '--compact')
    done = build('compact.camdb', 'whole', '--compact', '--resume')
    tap.check('complete already' in done.stdout, 'a compact one, too',
              done.stdout)
    shutil.copy(at('whole', 'label1/0003.png'), at('whole', 'label1/9.png'))
    done = build('compact.camdb', 'whole', '--compact', '--resume')
    tap.check('complete already' not in done.stdout,
              'but not with one picture more', done.stdout)
    os.unlink(at('whole', 'label1/9.png'))
    done = build('whole.camdb', 'whole', '--resume')
    build('whole-anew', 'whole')
    tap.check('complete already' not in done.stdout
              and same('whole.camdb', 'whole-anew'),
              'but not with another picture', done.stdout, done.stderr)


def check_numbers():
    """numbers of pictures that there are not"""
    wrong = []
    for table in 'source', 'seen', 'weighed':
        for number in -1, 3 * EACH, 2000000000, 2**31, 2**62:
            name = f'number-{table}-{number}'
            scenario(name)
            with sqlite3.connect(at(name + '.camdb.partial')) as file:
                file.execute(f'UPDATE {table} SET id = ? WHERE id ='
                             f' (SELECT max (id) FROM {table})', (number,))
                if table == 'weighed' and not file.total_changes:
                    file.execute('INSERT INTO weighed VALUES (?, 1, 0, 0, 0,'
                                 ' NULL)', (number,))
            file.close()
            done, _ = resume(name)
            if done.returncode != 1 or '.partial' not in done.stderr:
                if table != 'source' or '--restart' not in done.stderr:
                    wrong.append((name, done.returncode, done.stderr))
    tap.check(not wrong, 'a number that indexes nothing is refused', *wrong)


def check_unasked():
    """a damaged file that cannot be asked what it holds is not thrown away"""
    scenario('unasked')
    partial = at('unasked.camdb.partial')
    with sqlite3.connect(partial) as file:
        size, = file.execute('PRAGMA page_size').fetchone()
        roots = [page for page, in file.execute(
            "SELECT rootpage FROM sqlite_master WHERE name IN ('seen', 'trial')")]
    file.close()
    with open(partial, 'r+b') as file:
        for page in roots:
            file.seek((page - 1) * size)
            file.write(b'\xff' * 64)
    with open(partial, 'rb') as file:
        before = file.read()
    done = build('unasked.camdb', 'unasked', *LONG)
    with open(partial, 'rb') as file:
        after = file.read()
    tap.check(done.returncode == 1 and '.partial' in done.stderr
              and before == after and not os.path.exists(at('unasked.camdb')),
              'work that cannot be counted is not thrown away',
              done.returncode, done.stderr)
    done = build('unasked.camdb', 'unasked', '--restart')
    tap.check(done.returncode == 0, 'but for --restart', done.stderr)


def check_bytes():
    """any byte of it may be another"""
    chance = random.Random(7)
    with open(at('base.partial'), 'rb') as file:
        whole = file.read()
    scenario('bytes')
    wrong, ends = [], {}
    for i in range(40):
        data = bytearray(whole)
        for _ in range(1 + i % 9):
            data[chance.randrange(100 if i % 2 else 0, len(data))] = \
                chance.randrange(256)
        with open(at('bytes.camdb.partial'), 'wb') as file:
            file.write(data)
        done = build('bytes.camdb', 'bytes', '--resume', '--triplets', '200000',
                     '--cache', '0')
        ends[done.returncode] = ends.get(done.returncode, 0) + 1
        if done.returncode not in (0, 1) or 'Sanitizer' in done.stderr:
            wrong.append((i, done.returncode, done.stderr))
        if os.path.exists(at('bytes.camdb')):
            os.unlink(at('bytes.camdb'))
    tap.check(not wrong, f'damaged bytes end in a database or a message {ends}',
              *wrong)


for label in range(3):
    os.makedirs(at('pictures', f'label{label}'))
    for number in range(EACH):
        fill_up(at('pictures', f'label{label}', f'{number:04d}.png'),
                toy.make_picture(label, number))
interrupt('base', 'pictures', 3 * EACH)
tap.check(seen('base') == 3 * EACH, 'a build is killed behind its first pass')
check_unchanged()
check_changed()
check_choice()
check_unreadable()
check_list()
check_earlier()
check_complete()
check_numbers()
check_unasked()
check_bytes()
folder.cleanup()
sys.exit(tap.done())
