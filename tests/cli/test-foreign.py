#!/usr/bin/python3
"""test-foreign.py CAMLENS: what strangers made

Nothing that a name, a label or a field says reaches the terminal raw; a pipe, a
device, a socket or a folder in a file's place is refused at once; settings are
read as Windows saves them.
"""
import json
import os
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(HERE, '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    from PIL import Image
    import numpy as np
    import onnx
    import small
except ImportError as error:
    tap.skip('foreign', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()
# clears the screen, sets the title, rings; C1; DEL; direction; lines
HOSTILE = '\x1b[2J\x1b]0;t\x07\x9b31m\x7f\u202e\u2066\u2028\r\nforged: line'
RAW = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029'
                 '\u2066-\u2069\ufeff\ud800-\udfff]')
MOST = 70000  # bytes that a line may have


def path(*names):
    return os.path.join(folder.name, *names)


def environment():
    env = {**os.environ, 'LC_ALL': 'C.UTF-8', 'XDG_DATA_HOME': path('data'),
           'XDG_DATA_DIRS': path('nothing')}
    env.pop('CAMLENS_MODEL_PATH', None)
    return env


def camlens(*arguments, timeout=30, **more):
    return subprocess.run([CAMLENS, *map(os.fspath, arguments)],
                          timeout=timeout, stdin=subprocess.DEVNULL,
                          capture_output=True, cwd=folder.name,
                          env=environment(), **more)


def text(data):
    return data.decode('utf-8', 'surrogateescape')


def clean(what, *arguments, status=None):
    """neither output holds what a terminal would obey, or lines that forge"""
    try:
        done = camlens(*arguments)
    except subprocess.TimeoutExpired:
        tap.check(False, what, 'hangs')
        return None
    both = text(done.stdout) + text(done.stderr)
    raw = RAW.search(both)
    longest = max(map(len, both.split('\n')))
    tap.check(not raw and longest < MOST and '\nforged' not in both
              and (status is None or done.returncode == status), what,
              f'{done.returncode} {raw} {longest} {ascii(both[:2000])}')
    return done


def make_pictures(where, n=8):
    os.makedirs(where, exist_ok=True)
    rng = np.random.default_rng(5)
    for i in range(n):
        Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)).save(
            os.path.join(where, f'{i}.png'))


def build(out, *more, model='net', labels='labels.csv'):
    return camlens('build', '-q', '-m', path(model, 'model.onnx'), '-o', out,
                   '--labels', path(labels), path('pictures'), '--clusters',
                   '3', *more)


# ---- on a terminal ----

def rename_all(model, end):
    """every tensor and node of a network, with @end behind its name"""
    for node in model.graph.node:
        node.name = node.name + end
        node.input[:] = [name + end for name in node.input]
        node.output[:] = [name + end for name in node.output]
    for value in (*model.graph.input, *model.graph.output,
                  *model.graph.initializer):
        value.name += end
    return model


def hostile_model(where, end):
    small.write_model(path(where), settings=None)
    model = rename_all(onnx.load(path(where, 'model.onnx')), end)
    model.graph.name = model.doc_string = model.producer_name = end
    onnx.helper.set_model_props(model, {
        'camlens.name': 'T' + end, 'camlens.licence': end,
        'camlens.input.sise': '1', f'camlens.{end}': end})
    onnx.save(model, path(where, 'model.onnx'))


def test_models():
    picture = path('pictures', '0.png')
    for where, end in (('hostile', HOSTILE), ('long', 'x' * 200_000),
                       ('both', HOSTILE * 3000)):
        hostile_model(where, end)
        model = path(where, 'model.onnx')
        clean(f'inspect a {where} model', 'inspect', model, status=0)
        if where == 'hostile':
            clean('as JSON', 'inspect', '--json', model, status=0)
        clean('bench', 'bench', model, '--profile', '--repeat', '1')
        clean('run', 'run', model, '--fetch', 'nothing=x.npy')
        clean('gradient', 'gradient', model, '--of', 'a', '--at', 'b')
        clean('embed', 'embed', '-m', model, '-o', path('e.npy'), picture)
        clean('explain', 'explain', '-m', model, '--positive', picture, '-o',
              path('o.png'), picture)
        clean('a database', 'build', '-q', '-m', model, '-o',
              path(f'{where}.camdb'), '--labels', path('labels.csv'),
              path('pictures'), '--clusters', '2')
        clean('its fields', 'db', 'info', path(f'{where}.camdb'))
        clean('models add', 'models', 'add', model)
        clean('models list', 'models', 'list')
        broken = onnx.load(model)
        broken.graph.node[1].op_type += end
        onnx.save(broken, path(where, 'broken.onnx'))
        clean('an unknown operator', 'inspect', path(where, 'broken.onnx'),
              status=1)
        broken.graph.node[1].op_type = 'Relu'
        broken.graph.node[1].domain = end
        onnx.save(broken, path(where, 'broken.onnx'))
        clean('an unknown domain', 'inspect', path(where, 'broken.onnx'),
              status=1)
        shutil.rmtree(path(where))


def test_settings():
    small.write_model(path('ini'))
    for i, lines in enumerate((
            f'name={HOSTILE}', f'input.size={HOSTILE}', f'{HOSTILE}=1',
            f'layer={HOSTILE}', f'embedding={HOSTILE}', 'name=a\\nforged\\tb',
            'layer=a\\nforged: b', 'input.sise=\\nforged', 'name=' + 'x' * 900000,
            f'input.channels={"y" * 900000}')):
        with open(path('ini', 'model.ini'), 'w', encoding='utf-8',
                  newline='') as ini:
            ini.write(small.SETTINGS + lines + '\n')
        clean(f'settings ({i})', 'inspect', path('ini', 'model.onnx'))
        os.makedirs(path('data', 'camlens', 'models'), exist_ok=True)
        shutil.copytree(path('ini'), path('data', 'camlens', 'models', 'ini'))
        clean('of an installed model', 'models', 'list', status=0)
        shutil.rmtree(path('data', 'camlens', 'models', 'ini'))


def test_names():
    """of files and folders, options and commands"""
    bad = os.fsencode(path('dir')) + HOSTILE.encode() + b'\x9b\xff'
    os.makedirs(bad)
    for name in (b'0.png', b'a\x1b[2J.png', b'b\n\x9b.png'):
        shutil.copy(path('pictures', '0.png'), os.path.join(bad, name))
    with open(os.path.join(bad, b'bad\x1b.png'), 'wb') as out:
        out.write(b'\x89PNG\r\n\x1a\nno')
    model = path('net', 'model.onnx')
    clean('explain', 'explain', '-m', model, '-d', path('net.camdb'),
          '--output-dir', path('maps'), bad)
    clean('as JSON', 'explain', '-m', model, '-d', path('net.camdb'), '--json',
          os.path.join(bad, b'a\x1b[2J.png'))
    clean('embed', 'embed', '-m', model, '-o',
          os.path.join(bad, b'e\x07.npy'), bad)
    clean('build', 'build', '-m', model, '-o', os.path.join(bad, b'd\x07'),
          '--labels', path('labels.csv'), bad)
    clean('evaluate', 'evaluate', '-m', model, '-d', path('net.camdb'),
          '--images', bad, '--masks', bad, '--faithfulness', '2')
    with open(path('key.csv'), 'w', encoding='utf-8') as out:
        out.write(f'"{HOSTILE}",a\n')
    clean('labels of no picture', 'build', '-m', model, '-o', path('l.camdb'),
          '--labels', path('key.csv'), path('pictures'))
    for words in (('inspect', bad), ('db', 'info', bad), ('db', 'verify', bad),
                  ('models', 'add', bad), ('models', 'remove', bad),
                  (HOSTILE,), ('db', HOSTILE), ('models', HOSTILE),
                  ('inspect', '--size', HOSTILE, model),
                  ('explain', '-m', HOSTILE, HOSTILE),
                  ('inspect', '--' + HOSTILE), ('inspect', 'x' * 100000),
                  ('db', 'import', '--npy', HOSTILE, '-m', model, '-o', 'x'),
                  ('evaluate', '-m', model, '--images', HOSTILE)):
        clean(f'{ascii(words[:2])[:60]}', *words)


def test_databases():
    with open(path('evil.csv'), 'w', encoding='utf-8') as out:
        for i in range(8):
            label = HOSTILE.replace('\r\n', '') + str(i % 2)
            out.write(f'{i}.png,{label}\n')
    build(path('evil.camdb'), labels='evil.csv')
    for words in (('db', 'info', 'evil.camdb'), ('db', 'verify', 'evil.camdb'),
                  ('db', 'info', '--json', 'evil.camdb'),
                  ('explain', '-m', path('net', 'model.onnx'), '-d',
                   path('evil.camdb'), '-o', path('o.png'),
                   path('pictures', '1.png')),
                  ('explain', '-m', path('net', 'model.onnx'), '-d',
                   path('evil.camdb'), '--json', path('pictures', '1.png'))):
        clean(f'labels: {words[0]} {words[1]}', *words, status=0)
    free = ('model_name', 'method', 'score', 'mining', 'preprocessing',
            'program_version', 'layer_choice')
    for fields in (free, ('layer',), ('metric',), ('model_digest',), ('seed',)):
        for value in (HOSTILE, 'z' * 1_000_000):
            shutil.copy(path('net.camdb'), path('field.camdb'))
            db = sqlite3.connect(path('field.camdb'))
            for field in fields:
                db.execute('UPDATE info SET value = ? WHERE key = ?',
                           (value, field))
            db.execute('UPDATE picture SET path = ?, label = ?',
                       (value[:1000], value[:1000]))
            db.execute('UPDATE exemplar SET path = ?, label = ?',
                       (value[:1000], value[:1000]))
            db.commit()
            db.close()
            for words in (('info',), ('verify',)):
                clean(f'{fields[0]}: db {words[0]}', 'db', *words, 'field.camdb')
            clean('explain', 'explain', '-m', path('net', 'model.onnx'), '-d',
                  path('field.camdb'), '--transfer', 'neighbour', '-o',
                  path('o.png'), path('pictures', '1.png'))


def test_exact():
    """what programs read is as it was"""
    name = 'a\x1b\x9b\u202e\U000e0041"\\b.png'
    os.makedirs(path('exact'))
    shutil.copy(path('pictures', '0.png'), path('exact', name))
    done = camlens('explain', '-m', path('net', 'model.onnx'), '-d',
                   path('net.camdb'), '--json', path('exact', name))
    said = json.loads(done.stdout)
    tap.check(any(str(value).endswith(name) for value in said.values()),
              'JSON holds the name itself', ascii(text(done.stdout))[:500])
    done = camlens('embed', '-m', path('net', 'model.onnx'), '-o',
                   path('e.npy'), '--names', path('n.csv'), path('exact'))
    with open(path('n.csv'), encoding='utf-8') as names:
        tap.check('a\x1b\x9b\u202e' in names.read(), 'so does the list of names',
                  text(done.stderr))


# ---- what is no file ----

def specials():
    """(what, function that puts it at a path)"""
    return (('a pipe', os.mkfifo),
            ('a folder', os.makedirs),
            ('a device', lambda at: os.symlink('/dev/zero', at)),
            ('a socket', lambda at: socket.socket(socket.AF_UNIX).bind(
                os.path.relpath(at))),
            ('a terminal', lambda at: os.symlink('/dev/tty', at)))


def test_specials():
    os.chdir(folder.name)
    small.write_model('sp')
    model, picture = 'sp/model.onnx', 'pictures/0.png'
    installed = 'data/camlens/models/sp'
    shutil.copytree('sp', installed)
    arrays = 'arrays'
    camlens('db', 'export', 'net.camdb', '--npy', arrays)
    places = {
        'sp/model.ini': (('inspect', model), ('embed', '-m', model, '-o',
                                              'e.npy', picture)),
        'own.ini': (('inspect', 'own.onnx'), ('models', 'add', 'own.onnx')),
        f'{installed}/model.ini': (('models', 'list'), ('inspect', 'sp')),
        f'{installed}/x.camdb': (('models', 'list'), ('explain', '-m', 'sp',
                                                      '-o', 'o.png', picture)),
        'l.csv': (('build', '-q', '-m', 'net/model.onnx', '-o', 's.camdb',
                   '--labels', 'l.csv', 'pictures'),
                  ('evaluate', '-m', 'net/model.onnx', '-d', 'net.camdb',
                   '--images', 'pictures', '--labels', 'l.csv')),
        'masks/0.png': (('evaluate', '-m', 'net/model.onnx', '-d', 'net.camdb',
                         '--images', 'pictures', '--masks', 'masks',
                         '--faithfulness', '0'),),
        'd.camdb': (('explain', '-m', 'net/model.onnx', '-d', 'd.camdb', '-o',
                     'o.png', picture), ('db', 'info', 'd.camdb'),
                    ('db', 'verify', 'd.camdb'),
                    ('db', 'recluster', 'd.camdb', '--clusters', '2'),
                    ('build', '-q', '-m', 'net/model.onnx', '-o', 'd.camdb',
                     '--labels', 'labels.csv', 'pictures')),
        'p.camdb.partial': (('build', '-q', '-m', 'net/model.onnx', '-o',
                             'p.camdb', '--labels', 'labels.csv', 'pictures'),
                            ('build', '-q', '-m', 'net/model.onnx', '-o',
                             'p.camdb', '--labels', 'labels.csv', 'pictures',
                             '--resume')),
        'q.camdb.new': (('build', '-q', '-m', 'net/model.onnx', '-o',
                         'q.camdb', '--labels', 'labels.csv', 'pictures'),),
        'x.npy': (('run', 'net/model.onnx', '-i', 'x.npy', '--fetch',
                   'embedding=e.npy'),
                  ('gradient', 'net/model.onnx', '-i', 'x.npy', '--of',
                   'embedding', '-s', 'x.npy', '--at', 'features', '-o',
                   'g.npy')),
        'boxes.csv': (('evaluate', '-m', 'net/model.onnx', '-d', 'net.camdb',
                       '--images', 'pictures', '--boxes', 'boxes.csv'),),
        'x.png': (('embed', '-m', 'net/model.onnx', '-o', 'e.npy', 'x.png'),
                  ('explain', '-m', 'net/model.onnx', '--positive', 'x.png',
                   '-o', 'o.png', picture)),
        'x.onnx': (('inspect', 'x.onnx'), ('models', 'add', 'x.onnx'),
                   ('bench', 'x.onnx')),
    }
    for name in ('centroids.npy', 'weights.npy', 'sizes.npy', 'labels.json'):
        places[f'{arrays}/{name}'] = (
            ('db', 'import', '--npy', arrays, '-m', 'net/model.onnx',
             '--layer', 'features', '--metric', 'cosine', '-o', 'i.camdb'),)
    shutil.copy(model, 'own.onnx')
    os.makedirs('masks')
    for at, commands in places.items():
        kept = at + '.kept'
        if os.path.lexists(at):
            os.rename(at, kept)
        for i, (what, put) in enumerate(specials()):
            if i > 2 and at != 'sp/model.ini':
                continue
            put(at)
            for words in commands if i == 0 else commands[:1]:
                try:
                    done = camlens(*words, timeout=10)
                    good = done.returncode in (0, 1, 3)
                    if at != 'masks/0.png' and 'camdb' not in at \
                            and words[0] != 'models':
                        good = good and os.path.basename(at).encode() \
                            in done.stderr + done.stdout
                    told = f'{done.returncode} {text(done.stderr)[-400:]}'
                except subprocess.TimeoutExpired:
                    good, told = False, 'hangs'
                tap.check(good, f'{what} as {at}: {" ".join(words[:2])}', told)
            if os.path.isdir(at) and not os.path.islink(at):
                shutil.rmtree(at)
            elif os.path.lexists(at):
                os.remove(at)
        if os.path.exists(kept):
            os.rename(kept, at)


def test_sizes():
    """a text of ten gigabytes, all holes"""
    small.write_model(path('holes'))
    with open(path('holes', 'model.ini'), 'r+b') as out:
        out.truncate(10 << 30)
    for words in (('embed', '-m', path('holes', 'model.onnx'), '-o',
                   path('e.npy'), path('pictures', '0.png')),
                  ('build', '-q', '-m', path('net', 'model.onnx'), '-o',
                   path('h.camdb'), '--labels', path('holes', 'model.ini'),
                   path('pictures'))):
        done = camlens(*words, timeout=60)
        tap.check(done.returncode == 1 and b'model.ini' in done.stderr,
                  f'{words[0]}: as a settings or labels file',
                  text(done.stderr))


# ---- as Windows saves it ----

def test_marks():
    good = camlens('inspect', path('net', 'model.onnx'))
    lines = small.SETTINGS.replace('A small network', 'Ein hübsches Netz')
    small.write_model(path('mark'))
    for what, encoding, mark in (('a mark', 'utf-8-sig', ''),
                                 ('UTF-16, little end first', 'utf-16-le',
                                  '\ufeff'),
                                 ('UTF-16, big end first', 'utf-16-be',
                                  '\ufeff')):
        for end in ('\n', '\r\n'):
            with open(path('mark', 'model.ini'), 'wb') as out:
                out.write((mark + lines.replace('\n', end)).encode(encoding))
            done = camlens('inspect', path('mark', 'model.onnx'))
            tap.check(done.returncode == 0
                      and done.stdout.replace(b'mark/', b'net/') == good.stdout,
                      f'{what}, {end!r}', text(done.stderr))
    for what, data in (('without its mark', lines.encode('utf-16-le')),
                       ('Latin-1', lines.encode('latin-1'))):
        with open(path('mark', 'model.ini'), 'wb') as out:
            out.write(data)
        done = camlens('embed', '-m', path('mark', 'model.onnx'), '-o',
                       path('e.npy'), path('pictures', '0.png'))
        tap.check(done.returncode == 1 and b'UTF-8' in done.stderr
                  and b'model.ini' in done.stderr, f'{what}: named',
                  text(done.stderr))


# ---- the limit of a file's size ----

def limited(bytes_):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))
    return limit


def test_limit():
    picture, model = path('pictures', '0.png'), path('net', 'model.onnx')
    os.makedirs(path('limit'))
    for what, words in (
            ('a picture', ('explain', '-m', model, '--positive', picture, '-o',
                           path('limit', 'o.png'), picture)),
            ('an array', ('embed', '-m', model, '-o', path('limit', 'e.npy'),
                          picture)),
            ('a page', ('evaluate', '-m', model, '--images', path('pictures'),
                        '--labels', path('labels.csv'), '--faithfulness', '0',
                        '--report', path('limit', 'page'))),
            ('a model', ('models', 'add', path('net'), '--name', 'limit')),
            ('a database', ('build', '-q', '-m', model, '-o',
                            path('limit', 'd.camdb'), '--labels',
                            path('labels.csv'), path('pictures')))):
        done = camlens(*words, preexec_fn=limited(100))
        tap.check(done.returncode == 1 and b'camlens' in done.stderr,
                  f'{what} too large: status 1, and said',
                  f'{done.returncode} {text(done.stderr)}')
        tap.check(not [n for n in os.listdir(path('limit'))
                       if not n.endswith('.partial') and n != 'page']
                  and not os.path.exists(path('data', 'camlens', 'models',
                                              'limit')),
                  'nothing is left', str(os.listdir(path('limit'))))
    tap.check(not os.listdir(path('limit', 'page')), 'nor of the page')
    for size in (9000, 30000, 50000):
        out = path('limit', f'{size}.camdb')
        done = camlens('build', '-q', '-m', model, '-o', out, '--labels',
                       path('labels.csv'), path('pictures'),
                       preexec_fn=limited(size))
        tap.check(done.returncode == 1 and b'disk is full' in done.stderr
                  and not os.path.exists(out), f'build within {size} bytes',
                  f'{done.returncode} {text(done.stderr)}')
        done = build(out, '--resume')
        tap.check(done.returncode == 0
                  and camlens('db', 'verify', out).returncode == 0,
                  'goes on with --resume', text(done.stderr))


small.write_model(path('net'))
make_pictures(path('pictures'))
with open(path('labels.csv'), 'w', encoding='utf-8') as table:
    table.write(''.join(f'{i}.png,{"ab"[i % 2]}\n' for i in range(8)))
first = build(path('net.camdb'))
if first.returncode != 0:
    sys.exit(text(first.stderr))
tests = (test_models, test_settings, test_names, test_databases, test_exact,
         test_specials, test_sizes, test_marks, test_limit)
for test in tests:
    if len(sys.argv) < 3 or test.__name__ in sys.argv[2:]:
        test()
sys.exit(tap.done())
