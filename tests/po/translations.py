#!/usr/bin/python3
"""translations.py ROOT: nothing is untranslated, malformed or ambiguous

The strings are taken from the sources anew, so a string that is added without
its translations fails here; so does a source that po/POTFILES forgets, and two
controls of one window that would answer to the same key.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from catalogue import messages  # noqa: E402
from tap import Tap, sources  # noqa: E402

KEYWORDS = ('-k_', '-kN_', '-kngettext:1,2', '-kC_:1c,2', '-kNC_:1c,2')
MARKED = re.compile(r'\b(N?_|C_|NC_|ngettext) ?\(\s*"')

# what is said to people, and the parts of it that are translated
SAID = re.compile(r'\b(?:g_set_error|g_set_error_literal|g_prefix_error|'
                  r'cam_node_error|cam_sql_malformed|malformed|refuse|'
                  r'refuse_input|refuse_line|set_error|command_note|'
                  r'command_misuse|fail) '
                  r'\(((?:"(?:[^"\\]|\\.)*"|[^;"])*)\);')
THROUGH = re.compile(r'\b(?:_|ngettext) ?\((?:\s|,|PRI\w+|'
                     r'"(?:[^"\\]|\\.)*")*')
SENTENCE = re.compile(r'"[^"]*[a-z]{2} [a-z%][^"]*"')

# controls that are in one window together, with GIMP's own Help button
BUTTONS = ('_Reset', '_Cancel', '_OK')
SHARED = ('_Model:', 'Top-_k channels:', 'Op_acity:', '_Threshold:',
          'Co_lour map:', 'Layer mod_e:',
          'Con_vert the image to RGB (same undo step)', 'Pre_set:',
          'Overla_y', 'Heat ma_p', 'Ori_ginal') + BUTTONS
WINDOWS = {'overlay dialog': SHARED + ('_Database:', '_Weights:'),
           'example dialog': SHARED + ('Pos_itive:', '_Negative:'),
           'export dialog': (
               'O_verlay with transparency (NAME-overlay.png)',
               'Co_mposite, the image as it shows (NAME-composite.png)',
               'Heat map as numbers, _TIFF (NAME-heat-map.tif)',
               'Heat map as numbers, NumP_y (NAME-heat-map.npy)',
               '_Provenance, how it was made (NAME-provenance.json)', '_Folder:',
               '_Name:', '_Reset', '_Cancel', '_Export'),
           'build dialog': (
               'Pictures in _folder:', '_Model:', '_Database:', 'Choos_e...',
               'C_lusters:', '_Triplets per picture:', '_Start', '_Reset',
               '_Close'),
           'preset dialog': ('_Name:', '_Cancel', '_Save'),
           'build dialog, running': ('_Stop', '_Reset', '_Close'),
           'menu': ('_Grad-CAM Overlay...', '_Explain by Example...',
                    'E_xport Overlay...', '_Build Cluster Database...')}
HELP = {'en': 'h', 'de': 'h', 'es': 'y', 'fr': 'e', 'ja': 'h'}


def extract(root, names):
    with tempfile.NamedTemporaryFile(suffix='.pot') as pot:
        subprocess.run(['xgettext', '--from-code=UTF-8', '-o', pot.name,
                        *KEYWORDS, *names], cwd=root, check=True)
        with open(pot.name, encoding='utf-8') as text:
            return messages(text.read())[0]


def check_files(tap, root, names):
    marked = []
    for name in sources(root, '.c', under=('ui', 'plugin', 'tools', 'core')):
        with open(f'{root}/{name}', encoding='utf-8') as text:
            if MARKED.search(text.read()):
                marked.append(name)
    missing = sorted(set(marked) - set(names))
    tap.check(not missing, 'po/POTFILES has every source with strings',
              *missing)


def check_marks(tap, root):
    """no sentence goes into an error or a note past gettext"""
    bare = []
    for name in sources(root, '.c', under=('ui', 'plugin', 'tools', 'core')):
        with open(f'{root}/{name}', encoding='utf-8') as text:
            code = re.sub(r'/\*.*?\*/', '', text.read(), flags=re.S)
            for call in SAID.findall(code):
                if SENTENCE.search(THROUGH.sub('', call)):
                    bare.append(f'{name}: {" ".join(call.split())[:90]}')
    tap.check(not bare, 'errors and notes go through gettext', *bare)


def key_of(label):
    found = re.search(r'_(\w)', label)
    return found[1].lower() if found else None


def check_keys(tap, language, translated):
    for window, labels in WINDOWS.items():
        keys = {}
        if window not in ('menu', 'preset dialog'):
            keys[HELP[language]] = ['Help']
        for label in labels:
            keys.setdefault(key_of(translated(label)), []).append(label)
        bad = [f'{key}: {", ".join(same)}' for key, same in keys.items()
               if len(same) > 1 or key is None]
        tap.check(not bad, f'{language}: a key for each control of the '
                  f'{window}', *bad)


def main(root):
    tap = Tap()
    with open(f'{root}/po/POTFILES', encoding='utf-8') as text:
        names = [n for n in text.read().split('\n')
                 if n and not n.startswith('#')]
    check_files(tap, root, names)
    check_marks(tap, root)
    wanted = extract(root, names)
    tap.check(len(wanted) > 100, f'{len(wanted)} strings are for translation')
    unknown = sorted({label for labels in WINDOWS.values() for label in labels}
                     - set(wanted))
    tap.check(not unknown, 'the labels of the windows are in the sources',
              *unknown)
    check_keys(tap, 'en', lambda label: label)
    with open(f'{root}/po/LINGUAS', encoding='utf-8') as text:
        languages = text.read().split()
    for language in languages:
        path = f'{root}/po/{language}.po'
        done = subprocess.run(['msgfmt', '-c', '-o', '/dev/null', path],
                              capture_output=True, text=True, check=False)
        tap.check(done.returncode == 0, f'{language}: msgfmt -c is content',
                  *done.stderr.splitlines())
        with open(path, encoding='utf-8') as text:
            have, fuzzy = messages(text.read())
        empty = [m for m in wanted if not have.get(m) or not all(have[m])]
        tap.check(not empty, f'{language}: nothing is untranslated',
                  *(m[:70] for m in empty))
        tap.check(not fuzzy, f'{language}: nothing is fuzzy', *fuzzy)
        check_keys(tap, language,
                   lambda label, have=have: have.get(label, [label])[0])
    return tap.done()


sys.exit(main(sys.argv[1]))
