#!/usr/bin/python3
"""test-models.py CAMLENS: what "models add" copies and "models remove" takes
away, and that neither touches anything else
"""
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

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
    tap.skip('models', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()
ENV = {**os.environ, 'LC_ALL': 'C.UTF-8',
       'XDG_DATA_HOME': os.path.join(folder.name, 'data'),
       'XDG_DATA_DIRS': os.path.join(folder.name, 'nothing')}
ENV.pop('CAMLENS_MODEL_PATH', None)


def path(*names):
    return os.path.join(folder.name, *names)


def own(*names):
    return path('data', 'camlens', 'models', *names)


def camlens(*arguments):
    return subprocess.run([CAMLENS, *map(os.fspath, arguments)], timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          encoding='utf-8', errors='surrogateescape', env=ENV)


def write(name, text='text'):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, 'w', encoding='utf-8') as out:
        out.write(text)


def tree(root):
    """what is below a folder: names, and what is in them"""
    found = {}
    for place, folders, files in os.walk(root):
        for name in folders + files:
            full = os.path.join(place, name)
            key = os.path.relpath(full, root)
            if os.path.islink(full):
                found[key] = os.readlink(full)
            elif os.path.isfile(full):
                with open(full, 'rb') as data:
                    found[key] = hashlib.sha256(data.read()).hexdigest()
            else:
                found[key] = None
    return found


def works(what, *arguments):
    done = camlens(*arguments)
    tap.check(done.returncode == 0, what, f'{done.returncode} {done.stderr}')
    return done


def refused(what, words, *arguments, status=1):
    """with these words, and nothing changed among the own models"""
    before = tree(own())
    done = camlens(*arguments)
    tap.check(done.returncode == status
              and (status == 2 or all(w in done.stderr for w in words))
              and tree(own()) == before, what,
              f'{done.returncode} {done.stderr} {before} {tree(own())}')


def put_link(target, link):
    """in the place of what the test before left there"""
    if os.path.lexists(link):
        os.remove(link)
    os.makedirs(os.path.dirname(link), exist_ok=True)
    os.symlink(target, link)


def project(name):
    """somebody's own folder that happens to hold a model, too"""
    small.write_model(path(name))
    write(path(name, 'thesis.txt'))
    write(path(name, 'photo.jpg'))
    write(path(name, 'raw', 'deep.bin'))
    return path(name)


def test_links():
    os.makedirs(own(), exist_ok=True)
    place = project('project')
    before = tree(place)
    for i, (what, name, target) in enumerate((
            ('a linked folder', 'mine', place),
            ('with a slash behind it', 'mine/', place),
            ('with more of them', 'mine///', place),
            ('a link to a folder without a model', 'bare', path('project',
                                                                'raw')),
            ('a link to nothing', 'gone', path('no such thing')))):
        link = own(name.rstrip('/'))
        put_link(target, link)
        works(f'{what} is unlinked', 'models', 'remove', name)
        tap.check(not os.path.lexists(link) and tree(place) == before,
                  f'and what it points to is left alone ({i})')
    works('a model', 'models', 'add', path('project', 'model.onnx'),
          '--name', 'linked')
    for link in ('notes', 'old.camdb'):
        put_link(place, own('linked', link))
    works('links inside a model are taken away', 'models', 'remove', 'linked')
    tap.check(tree(place) == before and not os.path.exists(own('linked')),
              'and not followed')


def test_folder_by_hand():
    shutil.copytree(path('project'), own('hand'))
    refused('a folder put there by hand is not emptied',
            ['hand', 'thesis.txt', 'photo.jpg', 'raw/'],
            'models', 'remove', 'hand')
    for name in ('thesis.txt', 'photo.jpg'):
        os.remove(own('hand', name))
    refused('nor for a folder in it alone', ['raw/'],
            'models', 'remove', 'hand')
    shutil.rmtree(own('hand', 'raw'))
    works('what an earlier version installed is removed',
          'models', 'remove', 'hand')
    tap.check(not os.path.exists(own('hand')), 'all of it')
    os.makedirs(own('empty'))
    write(own('empty', 'thesis.txt'))
    refused('a folder without a model', ['empty'], 'models', 'remove', 'empty')
    for name in ('.', '..', '', '/', '../models', 'hand/..', './empty'):
        refused(f'“{name}” is no name', ['no model'], 'models', 'remove', name)


def test_later_files():
    """a database that the dialog puts there, and settings that were edited"""
    small.write_model(path('later'))
    works('a model', 'models', 'add', path('later'), '--name', 'later')
    for name in ('my.camdb', 'my.camdb.partial', 'notes.txt', 'sub/x'):
        write(own('later', name))
        refused(f'{name} is in the way', [name.split('/')[0], 'Move'],
                'models', 'remove', 'later')
        os.remove(own('later', name))
    refused('so is an empty folder', ['sub/'], 'models', 'remove', 'later')
    os.rmdir(own('later', 'sub'))
    with open(own('later', 'model.ini'), 'a', encoding='utf-8') as out:
        out.write('description=mine\n')
    refused('and settings that were edited', ['model.ini'],
            'models', 'remove', 'later')
    os.remove(own('later', 'model.ini'))
    os.mkfifo(own('later', 'pipe'))
    refused('and a pipe', ['pipe'], 'models', 'remove', 'later')
    os.remove(own('later', 'pipe'))
    works('then it goes', 'models', 'remove', 'later')
    tap.check(not os.path.exists(own('later')), 'and nothing is left')


def test_leftovers():
    """what is in the way of the copy is not followed, nor taken for ours"""
    place = project('elsewhere')
    before = tree(place)
    for name in ('a.part', '.a.part'):
        os.symlink(place, own(name))
    done = camlens('models', 'add', path('project', 'model.onnx'),
                   '--name', 'a')
    tap.check(tree(place) == before, 'a linked NAME.part is not followed',
              done.stderr)
    for name in ('a.part', '.a.part'):
        os.remove(own(name))
    shutil.rmtree(own('a'), ignore_errors=True)
    shutil.copytree(place, own('.a.part'))
    refused('a folder of somebody else is not cleared', ['.a.part'],
            'models', 'add', path('project', 'model.onnx'), '--name', 'a')
    shutil.rmtree(own('.a.part'))
    write(own('.a.part', 'model.onnx'), 'half a')
    write(own('.a.part', '.camlens-added'), '')
    holder = os.open(own('.a.part'), os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    refused('one that another program is at work on is left alone', ['.a.part'],
            'models', 'add', path('project', 'model.onnx'), '--name', 'a')
    os.close(holder)
    works('what a killed program left is cleared', 'models', 'add',
          path('project', 'model.onnx'), '--name', 'a')
    tap.check(sorted(tree(own('a'))) == ['.camlens-added', 'model.ini',
                                         'model.onnx']
              and not os.path.exists(own('.a.part')), 'for a whole one',
              str(tree(own('a'))))
    os.symlink(path('no such thing'), own('dangling'))
    refused('a link to nothing is taken, too', ['dangling'], 'models', 'add',
            path('project', 'model.onnx'), '--name', 'dangling')
    os.remove(own('dangling'))


def test_names():
    """files without .onnx, and names that no model may have"""
    for i, name in enumerate(('m', 'net', 'network', 'a.b', 'net.ONNX',
                              'ü')):
        place = path(f'named{i}')
        small.write_model(place, name=name, settings=None)
        ini = name if name == 'ü' else os.path.splitext(name)[0]
        write(os.path.join(place, f'{ini}.ini'), small.SETTINGS)
        write(os.path.join(place, 'model.ini'),
              small.SETTINGS.replace('A small', 'Another'))
        works(f'a file called {name}', 'models', 'add',
              os.path.join(place, name), '--name', f'named{i}')
        with open(own(f'named{i}', 'model.ini'), encoding='utf-8') as text:
            tap.check(text.read() == small.SETTINGS, 'comes with its settings')
        works('and goes', 'models', 'remove', f'named{i}')
    for name in ('a\nb', 'a\tb', '\x1b[31mred', 'a\x7f', 'bad\udcff', '\u202eb',
                 '\x9bm', 'a/b', '.hidden', '', 'x.onnx', '..', 'a/'):
        refused(f'{ascii(name)} is no name for a model', ['name'], 'models',
                'add', path('project', 'model.onnx'), '--name',
                os.fsencode(name), status=2 if '\udcff' in name else 1)


def external(place, location):
    """a small model whose weights are in another file"""
    small.write_model(place)
    model = onnx.load(os.path.join(place, 'model.onnx'))
    os.makedirs(os.path.dirname(os.path.join(place, location)), exist_ok=True)
    onnx.save(model, os.path.join(place, 'model.onnx'),
              save_as_external_data=True, location=location,
              size_threshold=0, all_tensors_to_one_file=True)


def test_external_data():
    for i, location in enumerate(('weights/deep/x', 'x.weird', 'w.data')):
        place = path(f'external{i}')
        external(place, location)
        works(f'weights in {location}', 'models', 'add', place)
        tap.check(location in tree(own(f'external{i}')), 'are copied',
                  str(tree(own(f'external{i}'))))
        works('the copy opens', 'inspect', f'external{i}')
        works('and goes', 'models', 'remove', f'external{i}')
        tap.check(not os.path.exists(own(f'external{i}')), 'all of it')
    external(path('inner'), 'real/w')
    os.rename(path('inner', 'real'), path('inner', 'blobs'))
    os.symlink('blobs', path('inner', 'real'))
    works('a link within the folder is followed', 'models', 'add',
          path('inner'))
    shutil.rmtree(path('inner'))
    works('the copy stands alone', 'inspect', 'inner')
    tap.check(not os.path.islink(own('inner', 'real')), 'without a link')


def test_what_is_copied():
    """databases of this network, its papers; no stranger's files"""
    place = project('whole')
    secret = path('secret.txt')
    write(secret, 'nobody else reads this')
    for name in ('LICENSE', 'README.md', 'card.md'):
        write(os.path.join(place, name))
    for name in ('key.txt', 'LICENSE-2', 'stranger.camdb'):
        os.symlink(secret, os.path.join(place, name))
    os.symlink('LICENSE', os.path.join(place, 'COPYING'))
    os.mkfifo(os.path.join(place, 'README.pipe'))
    os.mkfifo(os.path.join(place, 'pipe.camdb'))
    socket.socket(socket.AF_UNIX).bind(os.path.join(place, 'notice.sock'))
    write(os.path.join(place, 'bad\nname.txt'))
    pictures = path('pictures')
    os.makedirs(pictures)
    rng = np.random.default_rng(1)
    for i in range(6):
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8)).save(
            os.path.join(pictures, f'{"ab"[i % 2]}{i}.png'))
    labels = path('labels.csv')
    write(labels, ''.join(f'{n},{n[0]}\n' for n in os.listdir(pictures)))
    os.makedirs(path('second'))
    small.write_model(path('second'), seed=4)
    for model in (place, path('second')):
        works('a database', 'build', '-m', model, '-o',
              os.path.join(place, os.path.basename(model) + '.camdb'),
              '--labels', labels, pictures, '--clusters', '2', '-q')
    done = works('a whole folder', 'models', 'add', place, '--name', 'whole')
    tap.check(sorted(tree(own('whole'))) == sorted((
        'model.onnx', 'model.ini', 'whole.camdb', 'thesis.txt', 'LICENSE',
        'README.md', 'card.md', 'COPYING', '.camlens-added')),
        'what belongs to the model is copied', str(tree(own('whole'))))
    tap.check(not os.path.islink(own('whole', 'COPYING')), 'as files')
    tap.check(all(w in done.stderr for w in (
        'key.txt', 'LICENSE-2', 'stranger.camdb', 'second.camdb', 'pipe.camdb',
        'README.pipe', 'bad\\nname.txt')) and 'photo' not in done.stderr,
        'what is not is named', done.stderr)
    done = works('a file alone', 'models', 'add',
                 os.path.join(place, 'model.onnx'), '--name', 'alone')
    tap.check('thesis.txt' not in tree(own('alone')),
              'comes without the notes beside it', str(tree(own('alone'))))
    works('it goes', 'models', 'remove', 'whole')


def test_needed_links():
    """what the model needs and a link leads out to"""
    for name in ('model.onnx', 'model.ini'):
        place = path(f'out-of-{name[6:9]}')
        small.write_model(place)
        os.rename(os.path.join(place, name), path(f'moved-{name}'))
        os.symlink(path(f'moved-{name}'), os.path.join(place, name))
        refused(f'{name} leads out', [name, 'link'], 'models', 'add', place)
    os.symlink(path('project', 'model.onnx'), path('pointer.onnx'))
    works('a link that was named itself', 'models', 'add',
          path('pointer.onnx'))
    tap.check(not os.path.islink(own('pointer', 'model.onnx')), 'is a copy')


def test_killed():
    """killed at any moment: nothing, or all of it"""
    big = path('big')
    small.write_model(big)
    with open(os.path.join(big, 'README.md'), 'wb') as out:
        out.write(b'x' * (20 << 20))
    for i in range(4):
        name = f'killed{i}'
        run = subprocess.Popen([CAMLENS, 'models', 'add', big, '--name', name],
                               stdout=subprocess.DEVNULL, env=ENV)
        time.sleep(0.01 + 0.02 * i)
        run.send_signal(signal.SIGKILL)
        run.wait()
        if os.path.exists(own(name)):
            tap.check(len(tree(own(name))) == 4, 'all of it is there',
                      str(tree(own(name))))
        else:
            works('after a kill, it is added again', 'models', 'add', big,
                  '--name', name)
        works('and removed', 'models', 'remove', name)


for test in (test_links, test_folder_by_hand, test_later_files, test_leftovers,
             test_names, test_external_data, test_what_is_copied,
             test_needed_links, test_killed):
    test()
sys.exit(tap.done())
