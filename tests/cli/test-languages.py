#!/usr/bin/python3
"""test-languages.py CAMLENS PO BUILT: people are told in their language

What the engine and the method refuse comes in each language of PO/LINGUAS
(catalogues: BUILT/LANGUAGE/LC_MESSAGES), with the names of nodes and tensors
as they are; what programs read is the same, byte for byte, also where numbers
have a decimal comma.
"""
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata

import numpy as np

HERE = os.path.dirname(__file__)
for part in ('style', 'gimp', 'po'):
    sys.path.insert(0, os.path.join(HERE, '..', part))
from catalogue import messages  # noqa: E402
from locales import make_locale  # noqa: E402
from tap import Tap  # noqa: E402

tap = Tap()
try:
    import onnx
    from PIL import Image
    import small
except ImportError as error:
    tap.skip('languages', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS, PO, BUILT = sys.argv[1:]
COMMA = 'de_DE.UTF-8'
folder = tempfile.TemporaryDirectory()


def path(*names):
    return os.path.join(folder.name, *names)


def camlens(*arguments, language='', locale='C.UTF-8', binary=False):
    env = dict(os.environ, LC_ALL=locale, LANGUAGE=language,
               LOCPATH=path('locales') if locale == COMMA else '',
               CAMLENS_LOCALEDIR=BUILT, CAMLENS_MODEL_PATH=folder.name,
               XDG_DATA_HOME=path('nothing'), XDG_DATA_DIRS=path('nothing'))
    if locale != COMMA:
        del env['LOCPATH']
    return subprocess.run([CAMLENS, *map(str, arguments)], text=not binary,
                          capture_output=True, timeout=100, env=env)


def make_files():
    """a model, labelled pictures with masks, and files that are refused"""
    rng = np.random.default_rng(4)
    small.write_model(folder.name)
    broken = onnx.load(path('model.onnx'))
    broken.graph.node[1].op_type = 'Frobnicate'
    broken.graph.node[1].name = 'middle'
    onnx.save(broken, path('operator.onnx'))
    with open(path('junk.onnx'), 'w', encoding='utf-8') as file:
        file.write('no model\n')
    for number, label in enumerate(('cat', 'dog')):
        for part in ('images', 'masks'):
            os.makedirs(path(part, label))
        for i in range(3):
            image = rng.integers(60, 120, (40, 48, 3)).astype(np.uint8)
            image[10:30, 12:36, number] = 230
            mask = np.zeros((40, 48), np.uint8)
            mask[10:30, 12:36] = 255
            Image.fromarray(image).save(path('images', label, f'{i}.png'))
            Image.fromarray(mask).save(path('masks', label, f'{i}.png'))
    with open(path('images', 'cat', '0.png'), 'rb') as file:
        png = file.read()
    for label, data in (('cat', png[:len(png) // 2]), ('dog', b'no picture')):
        os.makedirs(path('broken', label))
        for name in 'ab':
            with open(path('broken', label, f'{name}.png'), 'wb') as file:
                file.write(data)


def build(out, *more, **how):
    return camlens('build', '-m', path('model.onnx'), '-o', path(out),
                   '--clusters', 2, '--triplets', 3, '--layer', 'features',
                   *more, path('images'), **how)


def evaluate(report, *more, **how):
    return camlens('evaluate', '-m', path('model.onnx'), '-d', path('a.camdb'),
                   '--images', path('images'), '--masks', path('masks'),
                   '--train', path('images'), '--triplets', 3, '--top-k', 5,
                   '--faithfulness', 4, '--report', path(report), *more, **how)


# what is asked for, the message, and what it is said of
ERRORS = (
    (('inspect', 'nowhere'),
     'There is no model “%s”: neither a file nor an installed model of that '
     'name (installed: none; “camlens models add” installs one, and '
     'CAMLENS_MODEL_PATH names further folders).', ('nowhere',)),
    (('inspect', '@operator.onnx'),
     "node '%s': operator %s%s%s (opset %d) is not supported",
     ('middle', '', '', 'Frobnicate', '13')),
    (('inspect', '@junk.onnx'),
     'it is no ONNX file, or it is damaged or cut short (%s at byte '
     '%<PRIu64>)', None),
    (('db', 'verify', '@junk.onnx'),
     'this is no cluster database of CamLens: %s', None),
    (('explain', '-m', '@model.onnx', '-d', '@a.camdb', '-o', '@o.png',
      '@junk.onnx'), 'Cannot read the picture “%s”: %s.', None),
    (('build', '-m', '@model.onnx', '-o', '@b.camdb', '--layer', 'features',
      '@images/cat'),
     'all pictures have the same label, and a triplet needs a picture of '
     'another: sort them into folders, give --labels, or use --score dot',
     ()),
)


def pattern_of(message, values):
    """for what is said with @values; None: with any"""
    place = re.compile(r'%(?:\d+\$)?(?:<PRI\w+>|[-.\d]*(?:z|l)?[a-z])')
    parts = [re.escape(part) for part in place.split(message)]
    if values is None:
        return '.*'.join(parts)
    return parts[0] + ''.join(re.escape(v) + p
                              for v, p in zip(values, parts[1:]))


def check_errors(language, catalogue):
    for arguments, message, values in ERRORS:
        words = [path(a[1:]) if a.startswith('@') else a for a in arguments]
        done = camlens(*words, language=language)
        pattern = pattern_of(catalogue[message][0], values)
        tap.check(done.returncode != 0 and catalogue[message][0] != message
                  and re.search(pattern, done.stderr, re.S),
                  f'{language}: {" ".join(arguments)}: translated',
                  pattern, done.stderr)


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1
               for c in text if not unicodedata.combining(c))


def check_table(language, catalogue):
    """the values of "db info" stand below each other"""
    lines = camlens('db', 'info', path('a.camdb'),
                    language=language).stdout.split('\n')
    starts = set()
    for key in ('file', 'layer', 'method', 'metric', 'made by'):
        name = catalogue[f'field|{key}'][0]
        for line in lines:
            if re.match(re.escape(name) + r'  ', line):
                value = re.search(r'\S', line[len(name):]).start()
                starts.add(columns(line[:len(name) + value]))
                break
        else:
            starts.add(name)
    tap.check(len(starts) == 1, f'{language}: one column of values', starts,
              *lines[:10])


JSON = (('inspect', '--json', '@model.onnx'),
        ('db', 'info', '--json', '@a.camdb'))


def same_for_programs(how, name):
    for arguments in JSON:
        words = [path(a[1:]) if a.startswith('@') else a for a in arguments]
        tap.check(camlens(*words, **how).stdout == camlens(*words).stdout
                  != '', f'{name}: {" ".join(arguments)}: the same bytes')
    plain = evaluate('report', '--json').stdout
    tap.check(evaluate('report-' + name, '--json', **how).stdout == plain
              != '', f'{name}: evaluate --json: the same bytes')
    points = [re.findall(r"points='([^']*)'", open(path(r, 'index.html'),
                                                  encoding='utf-8').read())
              for r in ('report', 'report-' + name)]
    tap.check(points[0] == points[1] != [], f'{name}: the same curves')
    build('n.camdb', '--restart', **how)
    bytes_of = [open(path(d), 'rb').read() for d in ('a.camdb', 'n.camdb')]
    tap.check(bytes_of[0] == bytes_of[1], f'{name}: the same database')
    os.unlink(path('n.camdb'))
    done = build('n.camdb', '--progress', **how)
    tap.check(re.search(r'^progress \d+ 6 [\d.]+ -?[\d.]+ embedding$',
                        done.stdout, re.M)
              and not re.search(r'^progress .*,', done.stdout, re.M),
              f'{name}: progress for programs', done.stdout)
    os.unlink(path('n.camdb'))


def reasons_in(database, query):
    with sqlite3.connect(path(database)) as opened:
        return [row[0] for row in opened.execute(query)]


def check_skipped(language, catalogue):
    """a database does not speak its builder's language, the reader's it does"""
    out = f'some-{language}.camdb'
    done = build(out, path('broken'), language=language)
    words = reasons_in(out, 'SELECT reason FROM skipped')
    wanted = 2 * ['damaged'] + 2 * ['unknown format']
    tap.check(words == wanted
              and catalogue['it is damaged or cut short'][0] in done.stderr,
              f'{language}: a word in the database, a sentence for people',
              words, done.stderr)
    command = ('build', '-m', path('model.onnx'), '-o', path(out + '2'),
               '--layer', 'features', path('broken'))
    camlens(*command)
    words = reasons_in(out + '2.partial', 'SELECT reason FROM seen')
    done = camlens(*command, '--resume', language=language)
    tap.check(words == wanted and
              catalogue['it is damaged or cut short'][0] in done.stderr,
              f'{language}: and where the build is resumed in it', words,
              done.stderr)


def main():
    make_files()
    make_locale(path('locales'), COMMA)
    done = build('a.camdb')
    tap.check(done.returncode == 0, 'a database', done.stderr)
    with open(os.path.join(PO, 'LINGUAS'), encoding='utf-8') as text:
        languages = text.read().split()
    for language in languages:
        with open(os.path.join(PO, language + '.po'), encoding='utf-8') as text:
            catalogue = messages(text.read())[0]
        check_errors(language, catalogue)
        check_table(language, catalogue)
        page = evaluate('page-' + language, language=language)
        title = catalogue['Energy in the mask'][0]
        with open(path('page-' + language, 'index.html'),
                  encoding='utf-8') as html:
            tap.check(title in html.read() and catalogue[
                'Recall@1 among the pictures'][0] in page.stdout,
                      f'{language}: tables and report', page.stderr)
        check_skipped(language, catalogue)
        same_for_programs({'language': language}, language)
    how = {'language': 'de', 'locale': COMMA}
    told = camlens('inspect', 'nowhere', **how).stderr
    tap.check('Es gibt kein Modell „nowhere“' in told, f'{COMMA} is in force',
              told)
    same_for_programs(how, COMMA)


main()
sys.exit(tap.done())
