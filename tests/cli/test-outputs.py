#!/usr/bin/python3
"""test-outputs.py CAMLENS: what is no file, on the way out and on the way in

Names that are empty, full disks, devices, pipes and links: said so in a
sentence, before any work where that can be known, and nothing is harmed.
"""
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(HERE, '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    from PIL import Image
    import small
except ImportError as error:
    tap.skip('outputs', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()


def path(*names):
    return os.path.join(folder.name, *names)


def camlens(*arguments, stdout=subprocess.PIPE, **more):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          stdout=stdout, stderr=subprocess.PIPE, timeout=60,
                          cwd=folder.name, check=False,
                          env=dict(os.environ, LC_ALL='C.UTF-8',
                                   XDG_DATA_HOME=path('user')), **more)


def make_files():
    """pictures of two labels, a database, and an array for the network"""
    rng = np.random.default_rng(6)
    os.mkdir(path('user'))
    small.write_model(folder.name)
    for label in 'ab':
        os.makedirs(path('pictures', label))
        for i in range(2):
            Image.fromarray(rng.integers(0, 256, (32, 32, 3)).astype(
                np.uint8)).save(path('pictures', label, f'{i}.png'))
    done = camlens('build', '-q', '-m', 'model.onnx', '-o', 'db.camdb',
                   '--layer', 'features', '--clusters', 2, '--triplets', 2,
                   'pictures')
    assert done.returncode == 0, done.stderr
    camlens('db', 'export', 'db.camdb', '--npy', 'arrays')
    camlens('embed', '-m', 'model.onnx', PICTURE, '-o', 'e.npy', '--inputs',
            'x.npy')


PICTURE = 'pictures/a/0.png'
INSPECT = ('inspect', 'model.onnx', '--json')
BUILD = ('build', '-m', 'model.onnx', '--layer', 'features', 'pictures')
EMBED = ('embed', '-m', 'model.onnx', 'pictures')
EXPLAIN = ('explain', '-m', 'model.onnx', '-d', 'db.camdb')
EVALUATE = ('evaluate', '-m', 'model.onnx', '--images', 'pictures',
            '--faithfulness', '1')
IMPORT = ('db', 'import', '--npy', 'arrays', '-m', 'model.onnx', '--layer',
          'features')
GRADIENT = ('gradient', 'model.onnx', '--input', 'x.npy', '--of', 'embedding',
            '--at', 'features', '--seed', 'e.npy')


def test_empty_names():
    before = sorted(os.listdir(folder.name))
    for command, option in (
            (BUILD, '--output'), (EMBED, '--output'), (IMPORT, '--output'),
            ((*EMBED, '-o', 'f.npy'), '--names'),
            (('db', 'export', 'db.camdb'), '--npy'),
            (('db', 'recluster', 'db.camdb', '--clusters', '2'), '--output'),
            ((*EXPLAIN, PICTURE), '--output'), (EVALUATE, '--report'),
            (GRADIENT, '--output')):
        done = camlens(*command, option, '')
        tap.check(done.returncode == 2 and f'{option} is empty' in done.stderr
                  and not done.stdout,
                  f'{" ".join(command[:2])}: {option} may not be empty',
                  done.returncode, done.stderr)
    done = camlens('run', 'model.onnx', '--input', 'x.npy', '--fetch',
                   'embedding=')
    tap.check(done.returncode == 1 and 'NAME=FILE.npy' in done.stderr,
              'run: nor the file of --fetch', done.stderr)
    after = sorted(os.listdir(folder.name))
    tap.check(before == after, 'and nothing is left behind',
              set(after) - set(before))


def test_full_output():
    for command in (INSPECT, ('db', 'verify', 'db.camdb'),
                    ('--help',), ('--version',),
                    ('build', '--help'), ('db', 'info', 'db.camdb'),
                    ('bench', 'model.onnx', '--repeat', '1'),
                    (*EXPLAIN, PICTURE, '--json', '-o', 'full.png')):
        with open('/dev/full', 'wb') as full:
            done = camlens(*command, stdout=full)
        tap.check(done.returncode == 1 and 'output' in done.stderr,
                  f'{" ".join(command[:2])}: a full output is told of',
                  done.returncode, done.stderr)
    with open('/dev/full', 'wb') as full:
        done = camlens('inspect', stdout=full)
    tap.check(done.returncode == 2 and 'output' not in done.stderr,
              'but not where nothing was written to it', done.stderr)


def test_report_place():
    """no picture is looked at where the report has no place"""
    with open(path('taken'), 'w', encoding='utf-8') as file:
        file.write('mine')
    os.makedirs(path('full', 'index.html'))
    os.mkdir(path('closed'))
    os.chmod(path('closed'), 0o555)
    os.chmod(folder.name, 0o755)
    user = {'user': 'nobody'} if os.getuid() == 0 else {}
    for place in 'taken', 'full', 'closed', 'taken/deep':
        done = camlens(*EVALUATE, '--report', place, **user)
        tap.check(done.returncode == 1 and place in done.stderr
                  and 'evaluating' not in done.stderr and not done.stdout,
                  f'a report in {place}: refused before any work',
                  done.returncode, done.stderr, done.stdout[:200])
    with open(path('taken'), encoding='utf-8') as file:
        tap.check(file.read() == 'mine', 'what was there is as it was')


def test_no_place():
    """known before the work: each command has something wrong that it would
    find later, and says first that its result has no place"""
    user = {'user': 'nobody'} if os.getuid() == 0 else {}
    os.mkdir(path('open'))
    os.chmod(path('open'), 0o777)
    for name in 'a0', 'a1', 'b0', 'b1':
        os.makedirs(path('bad', name[0]), exist_ok=True)
        with open(path('bad', *name) + '.png', 'w', encoding='utf-8') as file:
            file.write('no picture')
    np.save(path('wrong.npy'), np.zeros((1, 5, 7, 7), np.float32))
    run = ('run', 'model.onnx', '--input', 'wrong.npy')
    for folder_name, words in (('nowhere', ('no folder', 'Make it')),
                               ('taken', ('no folder', 'Make it')),
                               ('closed', ('Permission denied',))):
        for command, name in (
                ((*run, '--fetch', 'embedding={}'), 'f.npy'),
                ((*GRADIENT[:-1], 'none.npy', '-o', '{}'), 'g.npy'),
                ((*EMBED[:-1], 'bad', '-o', '{}'), 'e.npy'),
                ((*EMBED[:-1], 'bad', '-o', 'open/e.npy', '--names', '{}'),
                 'n.txt'),
                ((*EXPLAIN, 'bad/a/0.png', '-o', '{}'), 'e.png'),
                ((*EXPLAIN, 'bad/a/0.png', '-o', 'open/e.png', '--heatmap',
                  '{}'), 'm.npy'),
                (('db', 'import', '--npy', 'arrays', '-m', 'none.onnx',
                  '--layer', 'features', '-o', '{}'), 'i.camdb'),
                (('db', 'recluster', 'db.camdb', '--clusters', '2', '-o',
                  '{}'), 'r.camdb'),
                ((*BUILD[:-1], 'bad', '-o', '{}'), 'b.camdb')):
            place = f'{folder_name}/{name}'
            done = camlens(*(c.format(place) for c in command),
                           **(user if folder_name == 'closed' else {}))
            tap.check(done.returncode == 1 and place in done.stderr
                      and 'hoose another place' in done.stderr
                      and all(w in done.stderr for w in words)
                      and len(done.stderr.splitlines()) == 1
                      and not done.stdout,
                      f'{" ".join(command[:2])}: {place}', done.returncode,
                      done.stderr)
    for command in ((*EXPLAIN, 'pictures', '-o'),
                    ('db', 'export', 'db.camdb', '--npy')):
        for place in 'taken/deep', 'closed', 'closed/deep':
            done = camlens(*command, place, **user)
            tap.check(done.returncode == 1 and f'“{place}”' in done.stderr
                      and 'hoose another place' in done.stderr
                      and len(done.stderr.splitlines()) == 1
                      and not done.stdout,
                      f'{command[0]}: the folder {place}', done.returncode,
                      done.stderr)


def test_read_and_written():
    """what is read is not written over, and nothing is written twice"""
    os.mkdir(path('twins'))
    for name in 'a.jpg', 'a.png', 'b.png', 'b-overlay.png':
        Image.open(path(PICTURE)).save(path('twins', name))
    os.link(path('model.onnx'), path('same.onnx'))
    os.symlink('x.npy', path('same.npy'))
    before = {name: open(path(name), 'rb').read() for name in
              ('model.onnx', 'x.npy', 'e.npy', 'db.camdb', PICTURE,
               *(f'twins/{name}' for name in os.listdir(path('twins'))))}
    run = ('run', 'model.onnx', '--input', 'x.npy', '--fetch')
    for word, command in (
            ('written over', (*run, 'embedding=model.onnx')),
            ('written over', (*run, 'embedding=same.onnx')),
            ('written over', (*run, 'embedding=same.npy')),
            ('twice', (*run, 'embedding=y.npy', '--fetch', 'features=y.npy')),
            ('written over', (*GRADIENT, '-o', 'e.npy')),
            ('written over', ('embed', '-m', 'model.onnx', PICTURE, '-o',
                              PICTURE)),
            ('written over', ('embed', '-m', 'model.onnx', 'pictures',
                              '--names', PICTURE, '-o', 'y.npy')),
            ('twice', ('embed', '-m', 'model.onnx', PICTURE, '-o', 'y.npy',
                       '--inputs', './y.npy')),
            ('written over', (*EXPLAIN, PICTURE, '-o', PICTURE)),
            ('written over', (*EXPLAIN, 'twins/a.jpg', 'twins/a.png', '-o',
                              'twins')),
            ('twice', (*EXPLAIN, PICTURE, '-o', 'y.png', '--overlay',
                       'y.png')),
            ('twice', (*EXPLAIN, 'twins/b.png', 'twins/b-overlay.png', '-o',
                       'y/', '--overlay', 'overlay.png')),
            ('written over', ('explain', '-m', 'model.onnx', PICTURE,
                              '--positive', 'twins/b.png', '-o',
                              'twins/b.png'))):
        done = camlens(*command)
        tap.check(done.returncode == 1 and word in done.stderr,
                  f'{" ".join(command[:1] + command[-3:])}: {word}',
                  done.stderr)
    after = {name: open(path(name), 'rb').read() for name in before}
    tap.check(before == after, 'all that was read is as it was')


def test_no_room():
    """a limit of the size of files stands for a full disk"""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
    before = sorted(os.listdir(folder.name))
    for command in (
            *((*EXPLAIN, PICTURE, '-o', f'room.{ending}')
              for ending in ('png', 'jpg', 'webp', 'tif')),
            ('run', 'model.onnx', '--input', 'x.npy', '--fetch',
             'features=room.npy'),
            (*EMBED, '-o', 'open/f.npy', '--inputs', 'room.npy'),
            (*EVALUATE, '--report', 'open')):
        done = camlens(*command, preexec_fn=limit)
        place = 'index.html' if 'evaluate' in command else 'room.'
        tap.check(done.returncode == 1 and place in done.stderr
                  and 'File too large. Make room, or' in done.stderr
                  and '.part' not in done.stderr,
                  f'{command[0]}: no room for {command[-1]}', done.stderr)
    done = camlens('models', 'add', 'model.onnx', '--name', 'room',
                   preexec_fn=limit)
    tap.check(done.returncode == 1 and 'room.part/model.onnx' in done.stderr,
              'models add: no room', done.stderr)
    after = sorted(os.listdir(folder.name))
    tap.check(before == after and sorted(os.listdir(path('open')))
              == ['f.npy'], 'and no parts are left behind',
              set(after) - set(before), os.listdir(path('open')))


def test_stopped():
    """what is begun is ended, and no parts are left behind"""
    os.makedirs(path('many'))
    picture = Image.fromarray(np.random.default_rng(2).integers(
        0, 256, (900, 900, 3)).astype(np.uint8))
    picture.save(path('many', '0.jpg'))
    for i in range(1, 40):
        os.link(path('many', '0.jpg'), path('many', f'{i}.jpg'))

    def heed():  # also where this is run by nohup
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE:
        out = f'stopped-{number}'
        child = subprocess.Popen([CAMLENS, *EXPLAIN, 'many', '-o', out],
                                 cwd=folder.name, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True,
                                 preexec_fn=heed, env=dict(
                                     os.environ, LC_ALL='C.UTF-8'))
        child.stdout.readline()
        if number == signal.SIGPIPE:
            child.stdout.close()
            told = child.stderr.read()
            child.wait()
        else:
            child.send_signal(number)
            told = child.communicate(timeout=60)[1]
        there = os.listdir(path(out))
        whole = [Image.open(path(out, name)).load() is not None
                 for name in there if name.endswith('.png')]
        tap.check(child.returncode == 1 and 'stopped: ' in told
                  and len(whole) == len(there) < 40 and all(whole),
                  f'explain, signal {int(number)}: ends in order',
                  child.returncode, told, there)


def test_closed():
    """messages do not land in files that took a closed file's number (SQLite
    would hold those itself: without a database)"""
    many = ('explain', '-m', 'model.onnx', '--positive', PICTURE, 'many')
    camlens(*many, '-o', 'all-open')
    for closed in (1, 2), (2,), (0, 1, 2):
        out = 'closed-' + '-'.join(map(str, closed))
        done = camlens(*many, '-o', out,
                       preexec_fn=lambda: [os.close(fd) for fd in closed])
        wrong = [name for name in os.listdir(path('all-open'))
                 if not os.path.exists(path(out, name))
                 or open(path(out, name), 'rb').read()
                 != open(path('all-open', name), 'rb').read()]
        tap.check(not wrong and done.returncode == (1 in closed),
                  f'explain with {closed} closed', done.returncode, wrong)


def test_odd_names():
    """what programs read is UTF-8, and a line is a picture, whatever the
    names of files are"""
    for label in 'a', 'b\udcff':
        os.makedirs(path('odd', label))
        for name in '\udcff.png', ' "\\<&%s\t.png', '-o.png':
            Image.open(path(PICTURE)).save(path('odd', label, name))
    for command in (
            (*EXPLAIN, 'odd', '-o', 'o\udcff/', '--json'),
            ('build', '-q', '-m', 'model.onnx', '--layer', 'features', 'odd',
             '-o', 'o\udcff.camdb', '--clusters', '2', '--json'),
            ('db', 'info', 'o\udcff.camdb', '--json'),
            (*EVALUATE[:-3], 'odd', '--faithfulness', '1', '--report',
             'o\udcff-report', '--json')):
        done = subprocess.run([CAMLENS, *map(os.fsencode, command)],
                              capture_output=True, timeout=60, check=False,
                              cwd=folder.name)
        try:
            said = json.loads(done.stdout.decode())
        except ValueError as error:
            said = error
        tap.check(done.returncode == 0 and isinstance(said, (dict, list)),
                  f'{" ".join(command[:2])}: JSON', said, done.stderr)
    with open(path('o\udcff-report', 'index.html'), 'rb') as file:
        page = file.read()
    tap.check(page.decode(errors='replace').encode() == page
              and page.endswith(b'</html>\n'), 'a report is UTF-8, too')
    done = camlens('embed', '-m', 'model.onnx', 'odd', '-o', 'f.npy',
                   '--names', 'f.txt')
    with open(path('f.txt'), 'rb') as file:
        tap.check(file.read().count(b'\n') == len(np.load(path('f.npy'))) == 6,
                  'a line of --names for each row', done.stderr)
    Image.open(path(PICTURE)).save(path('odd', 'a', 'two\nlines.png'))
    done = camlens('embed', '-m', 'model.onnx', 'odd', '-o', 'f.npy',
                   '--names', 'g.txt')
    tap.check(done.returncode == 1 and 'line break' in done.stderr
              and not os.path.exists(path('g.txt')),
              'which a line break in a name would break', done.stderr)


def test_devices_and_links():
    """a link stays one, and its target gets the text; a device stays"""
    os.mkfifo(path('pipe'))
    open(path('target.txt'), 'w', encoding='utf-8').close()
    os.makedirs(path('elsewhere'))
    os.symlink('target.txt', path('link.txt'))
    os.symlink('elsewhere/new.txt', path('dangling.txt'))
    for link, target in (('link.txt', 'target.txt'),
                         ('dangling.txt', 'elsewhere/new.txt')):
        done = camlens(*EMBED, '-o', 'f.npy', '--names', link)
        lines = open(path(link), encoding='utf-8').read().split()
        tap.check(done.returncode == 0 and os.path.islink(path(link))
                  and os.path.isfile(path(target)) and len(lines) == 4,
                  f'embed --names writes where {link} points', done.stderr)
    os.symlink('target.npy', path('link.npy'))
    done = camlens(*EMBED, '-o', 'link.npy')
    tap.check(done.returncode == 0 and os.path.islink(path('link.npy'))
              and np.load(path('target.npy')).shape == (4, small.DIM),
              'so does -o', done.stderr)
    os.symlink('target.png', path('link.png'))
    done = camlens(*EXPLAIN, PICTURE, '-o', 'link.png')
    tap.check(done.returncode == 0 and os.path.islink(path('link.png'))
              and Image.open(path('target.png')).size == (32, 32),
              'so does explain', done.stderr)
    os.mkfifo(path('overlay.png'))
    done = camlens(*EXPLAIN, PICTURE, '-o', 'overlay.png')
    tap.check(done.returncode == 1 and 'overlay.png' in done.stderr
              and stat.S_ISFIFO(os.stat(path('overlay.png')).st_mode),
              'which writes over no pipe', done.stderr)
    done = camlens(*EMBED, '-o', 'f.npy', '--names', 'pipe')
    tap.check(done.returncode == 1 and 'pipe' in done.stderr
              and stat.S_ISFIFO(os.stat(path('pipe')).st_mode),
              'a pipe is no place for names', done.stderr)
    os.makedirs(path('report'))
    os.symlink('../page.html', path('report', 'index.html'))
    done = camlens(*EVALUATE, '--report', 'report')
    tap.check(done.returncode == 0
              and os.path.islink(path('report', 'index.html'))
              and '</html>' in open(path('page.html'),
                                    encoding='utf-8').read(),
              'evaluate --report writes where index.html points', done.stderr)
    os.unlink(path('report', 'index.html'))
    os.mkfifo(path('report', 'index.html'))
    done = camlens(*EVALUATE, '--report', 'report')
    tap.check(done.returncode == 1 and 'index.html' in done.stderr
              and stat.S_ISFIFO(os.stat(path('report', 'index.html')).st_mode),
              'and over no pipe', done.stderr)


def test_pipes_as_pictures():
    os.mkfifo(path('pipe.png'))
    for name in 'pipe.png', '/dev/zero':
        for command in ((*EMBED[:3], name, '-o', 'g.npy'),
                        (*BUILD[:-1], name, '-o', 'g.camdb'),
                        (*EXPLAIN, name, '-o', 'g.png'),
                        ('explain', '-m', 'model.onnx', PICTURE, '--positive',
                         name, '-o', 'g.png')):
            done = camlens(*command)
            tap.check(done.returncode == 1 and 'is not a file' in done.stderr
                      and name in done.stderr,
                      f'{command[0]}: {name} is refused', done.stderr)
    done = camlens('db', 'info', 'pipe.png')
    tap.check(done.returncode == 1 and 'is not a file' in done.stderr,
              'nor is a pipe waited for as a database', done.stderr)


def test_one_picture():
    """one is not 'none of the 1'; libvips' own lines do not show"""
    with open(path(PICTURE), 'rb') as file:
        data = file.read()
    Image.fromarray(np.random.default_rng(1).integers(
        0, 256, (300, 300, 3)).astype(np.uint8)).save(path('whole.jpg'))
    with open(path('whole.jpg'), 'rb') as file:
        jpeg = file.read()
    os.makedirs(path('broken'))
    for name, part in (('cut.png', data[:len(data) // 2]),
                       ('cut.jpg', jpeg[:len(jpeg) // 2]),
                       ('none.tif', b'II*\0\x08\0\0\0')):
        with open(path('broken', name), 'wb') as file:
            file.write(part)
        done = camlens(*EMBED[:3], f'broken/{name}', '-o', 'h.npy')
        tap.check(done.returncode == 1 and 'VIPS' not in done.stderr
                  and 'of the 1' not in done.stderr
                  and 'The picture could not be embedded' in done.stderr
                  and f'{name}”: ' in done.stderr,
                  f'embed {name}: one sentence for one picture', done.stderr)
    for name in 'cut.png', 'none.tif':
        os.unlink(path('broken', name))
    done = camlens('evaluate', '-m', 'model.onnx', '--images', 'broken')
    tap.check(done.returncode == 1 and 'VIPS' not in done.stderr
              and 'The picture could not be evaluated' in done.stderr,
              'so does evaluate', done.stderr)


make_files()
test_empty_names()
test_full_output()
test_report_place()
test_no_place()
test_read_and_written()
test_no_room()
test_stopped()
test_closed()
test_odd_names()
test_devices_and_links()
test_pipes_as_pictures()
test_one_picture()
sys.exit(tap.done())
