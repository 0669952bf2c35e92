"""build.py -- camlens build as a person, and bad luck, treat it

Any number of jobs, interrupted or not, gives the same database; what is wrong
is said and nothing is lost.  With "slow": what takes long, many kills first.
"""
import json
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402
import toy  # noqa: E402

camlens = sys.argv[1]
slow = 'slow' in sys.argv[2:]
tap = Tap()
folder = tempfile.TemporaryDirectory(prefix='camlens-build-')
MANY = 400


def at(*names):
    return os.path.join(folder.name, *names)


model = toy.make_model(at('model'), toy.make_weights())
large = toy.make_model(at('large-model'), toy.make_weights(), 384)
toy.make_pictures(at('pictures'), 5, 12)
toy.make_pictures(at('many'), 8, MANY // 8)


def command(name, pictures='pictures', *options):
    return [camlens, 'build', '-q', '-m', model, '-o', at(name), at(pictures),
            '--layer', 'relu4', '--clusters', '6', *options]


def build(name, pictures='pictures', *options, **settings):
    return subprocess.run(command(name, pictures, *options),
                          capture_output=True, text=True, check=False,
                          **settings)


def contents(name):
    """arrays, and the ordered dump"""
    subprocess.run([camlens, 'db', 'export', at(name), '--npy',
                    at(name + '.arrays')], check=True)
    with open(at(name), 'rb') as file:
        read = {'bytes': file.read()}
    for array in sorted(os.listdir(at(name + '.arrays'))):
        with open(at(name + '.arrays', array), 'rb') as file:
            read[array] = file.read()
    read['dump'] = subprocess.run(['sqlite3', at(name), '.dump'], check=True,
                                  capture_output=True).stdout
    return read


def same(name, other):
    a, b = contents(name), contents(other)
    return [key for key in a if a[key] != b.get(key)] == [] and len(a) == len(b)


def leftovers(name):
    return [file for file in os.listdir(folder.name)
            if file.startswith(name + '.') and not file.endswith('.arrays')]


def check_jobs():
    build('one', 'pictures', '--jobs', '1')
    for n in 2, 3, 7:
        build(f'jobs{n}', 'pictures', '--jobs', str(n))
        tap.check(same('one', f'jobs{n}'),
                  f'{n} jobs give the same bytes as one')
    for cache in '0', '20K':
        build('cache', 'pictures', '--cache', cache)
        tap.check(same('one', 'cache'), f'--cache {cache} gives the same bytes')
    build('mined1', 'pictures', '--jobs', '1', '--mining', 'semi-hard')
    build('mined3', 'pictures', '--jobs', '3', '--mining', 'semi-hard')
    tap.check(same('mined1', 'mined3'), 'semi-hard: 3 jobs as one')
    build('seed2', 'pictures', '--seed', '2')
    tap.check(not same('one', 'seed2'), 'another seed gives another database')
    tap.check(leftovers('one') == [], 'nothing lies about')


def kill_once(name, options, seconds):
    child = subprocess.Popen(command(name, 'many', '--resume', *options),
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
    told = child.communicate()[1].decode()
    return child.returncode, told


def check_kills(label, *options):
    started = time.monotonic()
    build(f'whole-{label}', 'many', *options)
    whole = time.monotonic() - started
    name = f'killed-{label}'
    chance = random.Random(3)
    kills, wrong = 0, []
    for _ in range(40 if slow else 4):
        status, told = kill_once(name, options, chance.uniform(0, whole))
        if status == 0:
            os.unlink(at(name))  # and from the start once more
        elif status == -signal.SIGKILL:
            kills += 1
            if os.path.exists(at(name)):
                done = subprocess.run([camlens, 'db', 'verify', at(name)],
                                      capture_output=True, check=False)
                if done.returncode:
                    wrong.append('a database that is not whole')
        else:
            wrong.append(told)
    last = build(name, 'many', '--resume', *options)
    tap.check(not wrong, f'{label}: {kills} kills at random moments', *wrong)
    tap.check(last.returncode == 0 and same(f'whole-{label}', name),
              f'{label}: the same bytes in the end', last.stderr)
    tap.check(leftovers(name) == [], f'{label}: nothing lies about',
              leftovers(name))


LONG = '--triplets', '100000'


def check_interrupt():
    child = subprocess.Popen(command('stopped', 'many', '--jobs', '1', *LONG),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
    while not os.path.exists(at('stopped.partial')):
        time.sleep(0.01)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    told = child.communicate()[1]
    tap.check(child.returncode == 1 and '--resume' in told,
              'Ctrl-C ends it in order and tells of --resume', told)
    again = build('stopped', 'many', *LONG)
    tap.check(again.returncode == 1 and '--resume' in again.stderr
              and '--restart' in again.stderr,
              'without --resume an interrupted build is not lost',
              again.stderr)
    other = build('stopped', 'many', '--resume', '--seed', '9', *LONG)
    tap.check(other.returncode == 1 and 'seed' in other.stderr,
              'another seed is not resumed', other.stderr)
    other = build('stopped', 'pictures', '--resume', *LONG)
    tap.check(other.returncode == 1 and 'pictures' in other.stderr,
              'other pictures are not resumed', other.stderr)
    done = build('stopped', 'many', '--resume', *LONG)
    tap.check(done.returncode == 0, '--resume ends it', done.stderr)
    done = build('stopped', 'many', '--resume', *LONG)
    tap.check(done.returncode == 0 and 'complete already' in done.stdout,
              'once more: it is complete already', done.stdout, done.stderr)


def choosing(name, *options, pictures='pictures'):
    """a build that chooses its layer, by a network that takes its time"""
    words = command(name, pictures, '--json', *options)
    words[words.index('-m') + 1] = large
    words[words.index('--layer') + 1] = 'auto'
    return words


def choose(name, *options, **settings):
    return subprocess.run(choosing(name, *options, **settings), text=True,
                          capture_output=True, check=False)


def trials(name):
    """{(picture, layer): (insertion, deletion)} that a stopped build kept"""
    try:
        with sqlite3.connect(f'file:{at(name)}.partial?mode=rw',
                             uri=True) as file:
            return {tuple(row[:2]): tuple(row[2:]) for row in
                    file.execute('SELECT * FROM trial').fetchall()}
    except sqlite3.DatabaseError:
        return {}


def kill_choice(name, seconds, *options):
    child = subprocess.Popen(choosing(name, '--resume', *options),
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
    told = child.communicate()[1]
    return child.returncode, told


def interrupt_choice(name):
    """by Ctrl-C, as soon as it tells of its first trials"""
    words = choosing(name, '--progress')
    words.remove('-q')
    child = subprocess.Popen(words, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    line = child.stdout.readline()
    child.send_signal(signal.SIGINT)
    told = child.communicate()[0]
    tap.check(line.startswith('progress') and line.endswith('layer\n'),
              'a build begins with the choice of a layer', line)
    return child.returncode, told


def spoil(name, layer):
    """makes what was kept of a layer better than anything can be"""
    with sqlite3.connect(at(name + '.partial')) as file:
        file.execute('UPDATE trial SET insertion = 9 WHERE layer = ?',
                     (layer,))


def choice_of(done):
    told = json.loads(done.stdout)
    return told['layer'], told['layer_choice']


def check_choice_killed():
    """at moments before the first commit, after two seconds, and behind it"""
    started = time.monotonic()
    whole = choose('choice')
    took = time.monotonic() - started
    chance = random.Random(5)
    kills, kept, status, wrong = 0, {}, 0, []
    while kills < 40 and len(wrong) == 0:
        status, told = kill_choice(
            'choice-killed',
            chance.uniform(*chance.choice([(0, 2), (2, 4)])),
            '--jobs', str(chance.randint(1, 3)))
        now = trials('choice-killed')
        if status == 0:
            break
        kills += 1
        if status != -signal.SIGKILL:
            wrong.append(told)
        elif any(now.get(key) != value for key, value in kept.items()):
            wrong.append(f'{len(kept)} trials were kept, then {len(now)}')
        kept = now
    if status != 0:
        status = choose('choice-killed', '--resume').returncode
    tap.check(not wrong and kills > 1,
              f'{kills} kills at random moments of {took:.1f} s lose no trial '
              f'that was kept', *wrong)
    tap.check(status == 0 and same('choice', 'choice-killed'),
              'the killed choice: the same bytes in the end', whole.stderr)


def check_choice_stopped():
    whole = choose('choice')
    status, told = interrupt_choice('choice-stopped')
    kept = trials('choice-stopped')
    tap.check(status == 1 and '--resume' in told and kept,
              f'Ctrl-C keeps the choice of a layer ({len(kept)} trials)', told)
    done = choose('choice-stopped')
    tap.check(done.returncode == 1 and '--resume' in done.stderr
              and trials('choice-stopped') == kept,
              'without --resume the stopped choice is not lost', done.stderr)
    for wrong in ('--seed', '9'), ('--triplets', '7'), ('--score', 'dot'):
        done = choose('choice-stopped', '--resume', *wrong)
        tap.check(done.returncode == 1 and wrong[0][2:] in done.stderr
                  and trials('choice-stopped') == kept,
                  f'nor resumed with another {wrong[0][2:]}', done.stderr)
    shutil.copy(at('choice-stopped.partial'), at('choice-spoilt.partial'))
    shutil.copy(at('choice-stopped.partial'), at('choice-moved.partial'))
    done = choose('choice-stopped', '--resume')
    tap.check(done.returncode == 0 and same('choice', 'choice-stopped')
              and choice_of(done) == choice_of(whole),
              'resumed: the same choice and the same bytes', done.stderr)
    best = choice_of(whole)[0]
    worst = next(layer for _, layer in kept if layer != best)
    spoil('choice-spoilt', worst)
    done = choose('choice-spoilt', '--resume')
    tap.check(done.returncode == 0 and choice_of(done)[0] == worst,
              'what was kept is not measured again', done.stdout, done.stderr)
    spoil('choice-moved', worst)
    with sqlite3.connect(at('choice-moved.partial')) as file:
        name = file.execute('SELECT path FROM source, trial WHERE id ='
                            ' picture LIMIT 1').fetchone()[0]
    shutil.copytree(at('pictures'), at('moved'))
    shutil.copy(at('pictures', 'label0', '0000.png'), at('moved', name))
    shutil.copy(at('pictures', 'label1', '0001.png'),
                at('moved', 'label0', '0000.png'))
    done = choose('choice-moved', '--resume', pictures='moved')
    again = choose('choice-anew', pictures='moved')
    tap.check(done.returncode == 0 and again.returncode == 0
              and same('choice-moved', 'choice-anew'),
              'of a picture that has changed since it is', done.stdout,
              again.stdout, done.stderr)
    tap.check(leftovers('choice') == [], 'and nothing lies about')
    for label in 'a', 'b':
        os.makedirs(at('two', label))
        shutil.copy(at('pictures', 'label0', '0000.png'), at('two', label))
    shutil.copy(at('pictures', 'label0', '0001.png'), at('two', 'a'))
    done = choose('two.camdb', pictures='two')
    tap.check('Name a layer' in done.stderr and not leftovers('two.camdb')
              and done.returncode, 'too few to choose by: leaves nothing', done)


def check_rate():
    """a build that had nothing left to embed has no rate"""
    stop_at = ['--triplets', '1000000']
    child = subprocess.Popen(command('rate', 'many', '--jobs', '1', *stop_at),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not os.path.exists(at('rate.partial')):
        time.sleep(0.01)
    seen = 0
    while seen < MANY and child.poll() is None:
        time.sleep(0.2)
        with sqlite3.connect(f'file:{at("rate")}.partial?mode=ro&immutable=1',
                             uri=True) as file:
            try:
                seen = file.execute('SELECT count(*) FROM seen').fetchone()[0]
            except sqlite3.DatabaseError:
                pass
    child.send_signal(signal.SIGINT)
    child.communicate()
    done = build('rate', 'many', '--resume', *stop_at)
    tap.check(done.returncode == 0 and 'a second' not in done.stdout
              and f'{MANY} of them embedded before' in done.stdout,
              'a wholly resumed build has no rate', done.stdout, done.stderr)


def check_two_builders():
    first = subprocess.Popen(command('shared', 'many', '--jobs', '1', *LONG),
                             stdout=subprocess.DEVNULL)
    while not os.path.exists(at('shared.partial')):
        time.sleep(0.01)
    second = build('shared', 'many', '--restart')
    first.wait()
    tap.check(second.returncode == 1 and 'another program' in second.stderr,
              'a second builder of one file is refused', second.stderr)
    tap.check(first.returncode == 0 and subprocess.run(
        [camlens, 'db', 'verify', at('shared')], check=False,
        capture_output=True).returncode == 0, 'the first is not disturbed')


def check_bad_pictures():
    shutil.copytree(at('pictures'), at('bad'))
    with open(at('bad', 'label1', 'broken.png'), 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\nno')
    with open(at('bad', 'label2', 'empty.jpg'), 'wb') as file:
        file.write(b'')
    os.mkdir(at('bad', 'lonely'))
    shutil.copy(at('pictures', 'label0', '0001.png'), at('bad', 'lonely'))
    done = build('bad.camdb', 'bad')
    tap.check(done.returncode == 1 and 'broken.png' in done.stderr
              and 'empty.jpg' in done.stderr,
              'unreadable pictures are named, the exit status tells of them',
              done.stderr)
    tap.check('1 picture has no other of its label' in done.stderr,
              'a label with one picture is told of', done.stderr)
    tap.check(subprocess.run([camlens, 'db', 'verify', at('bad.camdb')],
                             check=False, capture_output=True).returncode == 0,
              'the database of the others is whole')
    contents('bad.camdb')
    weights = np.load(at('bad.camdb.arrays', 'picture_weights.npy'))
    tap.check(np.isnan(weights).any(1).sum() == 1 and len(weights) == 61,
              'the lonely picture is kept without weights')
    os.mkdir(at('unread'))
    for label in 'a', 'b':
        os.mkdir(at('unread', label))
        for i in range(2):
            with open(at('unread', label, f'{i}.png'), 'wb') as file:
                file.write(b'nothing')
    done = build('unread.camdb', 'unread')
    tap.check(done.returncode == 1 and not os.path.exists(at('unread.camdb'))
              and 'a/0.png' in done.stderr, 'none readable: says so',
              done.stderr)


def check_labels():
    done = build('none', 'pictures/label0')
    tap.check(done.returncode == 1 and 'same label' in done.stderr,
              'one label for all is refused', done.stderr)
    tap.check(build('none', 'pictures/label0', '--score', 'dot').returncode
              == 0, 'but does for the score dot')
    with open(at('labels.csv'), 'w', encoding='utf-8') as csv:
        csv.write('path,label\r\n"label0/0000.png","a ""b"", c"\r\n'
                  'label0/0001.png,"a ""b"", c"\r\nlabel1/0000.png, d\r\n')
    done = build('csv', 'pictures', '--labels', at('labels.csv'))
    told = subprocess.run([camlens, 'db', 'info', at('csv'), '--json'],
                          check=True, capture_output=True, text=True).stdout
    tap.check('a \\"b\\", c' in told and done.returncode == 0,
              'labels of a CSV file', done.stderr)
    with open(at('labels.csv'), 'a', encoding='utf-8') as csv:
        csv.write('lost\n')
    done = build('csv2', 'pictures', '--labels', at('labels.csv'))
    tap.check(done.returncode == 1 and 'line 5' in done.stderr,
              'a broken line of it is named', done.stderr)


def labels_of(name, csv):
    """what a CSV file of these bytes makes of them: {path: label}"""
    with open(at('odd.csv'), 'wb') as file:
        file.write(csv)
    done = subprocess.run(
        command(name, 'pictures', '--restart', '--labels', at('odd.csv')),
        capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    with sqlite3.connect(at(name)) as file:
        return dict(file.execute('SELECT path, label FROM picture'
                                 ' WHERE label IS NOT NULL').fetchall())


def check_odd_labels():
    wanted = {f'label{i}/000{j}.png': 'ab'[i] for i in (0, 1) for j in (0, 1)}
    plain = ''.join(f'{path},{label}\r\n' for path, label in wanted.items())
    for what, csv in (
            ('a byte order mark', '\ufeff' + plain),
            ('blanks around quotes', plain.replace(',b', ' , "b" ')),
            ('paths beside the file', plain.replace('label', 'pictures/label')),
            ('absolute paths', plain.replace('label', at('pictures', 'label'))),
            ('the same line twice', plain + plain),
            ('an empty label', plain + 'label2/0000.png,\r\n')):
        found = labels_of('odd', csv.encode())
        tap.check(found == wanted, f'labels: {what}', found)
    for what, line in (('two labels of a picture', 'label0/0000.png,b'),
                       ('a quote that is not closed', '"label2/0000.png,a')):
        told = labels_of('odd2', (plain + line).encode())
        tap.check('line 5' in told, f'labels: {what}: named', told)
    build('twice', 'pictures', at('pictures'), at('pictures', 'label0'))
    with sqlite3.connect(at('twice')) as file:
        n = file.execute('SELECT count(*) FROM picture').fetchone()[0]
    tap.check(n == 60, 'a picture given twice is in it once', n)


def check_no_harm():
    """what is there and is no database stays; a pipe is not waited for"""
    shutil.copy(at('pictures', 'label0', '0000.png'), at('mine.png'))
    os.mkfifo(at('pipe'))
    for name in 'mine.png', 'pipe':
        done = build(name, 'pictures')
        tap.check('not written over' in done.stderr and not leftovers(name)
                  and done.returncode, f'{name} is not written over', done)
    with open(at('mine.png'), 'rb') as file:
        tap.check(file.read(4) == b'\x89PNG', 'and is as it was')
    done = subprocess.run([camlens, 'embed', '-m', model, at('pictures'), '-o',
                           at('pipe')], capture_output=True, text=True,
                          check=False)
    mode = os.stat(at('pipe')).st_mode
    tap.check(done.returncode == 1 and stat.S_ISFIFO(mode),
              'nor is a pipe by embed', done.stderr)
    shutil.copytree(at('pictures'), at('piped'))
    os.mkfifo(at('piped', 'label0', 'pipe.png'))
    done = build('piped.camdb', 'piped', timeout=60)
    tap.check(done.returncode == 0, 'a pipe among pictures is passed over')


def check_recluster():
    build('base', 'pictures', '--no-thumbnails')
    subprocess.run([camlens, 'db', 'recluster', at('base'), '--clusters', '3',
                    '-o', at('three')], check=True)
    build('direct', 'pictures', '--no-thumbnails', '--clusters', '3')
    tap.check(same('three', 'direct'),
              'reclustered: as if it had been built so')
    build('few', 'pictures', '--clusters', '500')
    contents('few')
    tap.check(len(np.load(at('few.arrays', 'centroids.npy'))) == 60,
              'more clusters than pictures: one each')
    build('compact', 'pictures', '--compact')
    done = subprocess.run([camlens, 'db', 'recluster', at('compact'),
                           '--clusters', '3'], capture_output=True, text=True,
                          check=False)
    tap.check(done.returncode == 1 and 'compact' in done.stderr,
              'a compact one cannot be', done.stderr)
    done = subprocess.run([camlens, 'explain', '-m', model, '-d',
                           at('compact'), '--transfer', 'neighbour',
                           at('pictures', 'label0', '0001.png'), '--json'],
                          capture_output=True, text=True, check=False)
    tap.check(done.returncode == 1 and 'compact' in done.stderr,
              'and has no neighbours', done.stderr)


def check_import():
    contents('one')
    for metric in 'cosine', 'euclidean':
        done = subprocess.run(
            [camlens, 'db', 'import', '--npy', at('one.arrays'), '-m', model,
             '--layer', 'relu4', '--metric', metric, '-o', at(metric)],
            capture_output=True, text=True, check=False)
        tap.check(done.returncode == 0, f'arrays come in: {metric}',
                  done.stderr)
        contents(metric)
        for array in 'centroids', 'weights', 'sizes':
            a, b = (np.load(at(name + '.arrays', array + '.npy'))
                    for name in ('one', metric))
            tap.check(np.allclose(a, b, rtol=1e-6), f'{array} as they went out')
    done = subprocess.run(
        [camlens, 'db', 'import', '--npy', at('one.arrays'), '-m', model,
         '--layer', 'relu2', '-o', at('wrong')],
        capture_output=True, text=True, check=False)
    tap.check(done.returncode == 1 and 'weights.npy' in done.stderr
              and not os.path.exists(at('wrong')),
              'arrays of another layer are refused', done.stderr)


def check_places():
    done = build('no/such/folder/x', 'pictures')
    tap.check(done.returncode == 1 and 'does not exist' in done.stderr,
              'a folder that is not there', done.stderr)
    os.mkdir(at('closed'))
    os.chmod(at('closed'), 0o555)
    os.chmod(folder.name, 0o755)
    options = {'user': 'nobody'} if os.getuid() == 0 else {}
    done = build('closed/x', 'pictures', **options)
    tap.check(done.returncode == 1 and 'cannot write' in done.stderr,
              'a folder that is read-only, as an ordinary user', done.stderr)


def check_begin():
    """what is refused is refused before any work"""
    os.mkdir(at('folder.camdb'))
    done = build('folder.camdb', 'pictures')
    tap.check(done.returncode == 1 and 'is a folder' in done.stderr
              and leftovers('folder.camdb') == [],
              'a database named as a folder is', done.stderr)


def check_full_disk():
    """in a mount namespace of its own, with a file system of 1 MB"""
    os.mkdir(at('small'))
    script = ' '.join(command('small/x', 'many')) + ' --cache 4G'
    mounted = ['unshare', '-m', 'sh', '-c',
               f'mount -t tmpfs -o size=300k tmpfs {at("small")} || exit 77;'
               f'{script}; status=$?; ls -A {at("small")} >&2;'
               f'mount -o remount,size=100M {at("small")};'
               f'{script} --resume || exit 5; cp {at("small")}/x {at("large")};'
               'exit $status']
    done = subprocess.run(mounted, capture_output=True, text=True, check=False)
    if done.returncode == 77 or 'unshare' in done.stderr:
        tap.skip('a full disk', 'no mount here')
        return
    tap.check(done.returncode == 1 and 'full' in done.stderr
              and '--resume' in done.stderr,
              'a full disk is said so', done.returncode, done.stderr)
    build('large2', 'many')
    tap.check(same('large', 'large2'), 'with room again it goes on, and ends'
              ' the same')


def check_progress():
    done = build('progress', 'pictures', '--progress', '--json')
    lines = done.stdout.splitlines()
    parts = [line.split() for line in lines if line.startswith('progress ')]
    tap.check(parts and all(len(p) == 6 and p[5].isalpha()
                            and 0 <= int(p[1]) <= int(p[2])
                            and float(p[3]) >= 0 and float(p[4]) >= -1
                            for p in parts)
              and {p[5] for p in parts} >= {'embedding', 'weighing',
                                            'clustering'},
              'progress for programs', *lines[:5])
    tap.check(lines[-1].startswith('{"database"'), 'and JSON at the end',
              lines[-1])


def check_usage():
    for wrong in (['--triplets', '0'], ['--clusters', '-1'],
                  ['--margin', 'nan'], ['--cache', '5X'], ['--score', 'no'],
                  ['--method', 'x'], ['--resume', '--restart'],
                  ['--score', 'dot', '--mining', 'semi-hard']):
        done = build('usage', 'pictures', *wrong)
        tap.check(done.returncode == 2 and wrong[0] in done.stderr,
                  f'{" ".join(wrong)} is refused', done.stderr)


if slow:
    check_kills('random')
    check_kills('mined', '--mining', 'semi-hard', '--cache', '1M')
    check_interrupt()
    check_choice_killed()
    check_choice_stopped()
    check_rate()
    check_two_builders()
    check_full_disk()
else:
    check_jobs()
    check_kills('random')
    check_bad_pictures()
    check_labels()
    check_odd_labels()
    check_no_harm()
    check_recluster()
    check_import()
    check_places()
    check_begin()
    check_progress()
    check_usage()
folder.cleanup()
sys.exit(tap.done())
