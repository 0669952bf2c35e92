"""catalogue.py -- what stands in a .po file"""
import re


def unquote(lines):
    return ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', lines)).encode(
        'latin-1', 'backslashreplace').decode('unicode_escape')


def messages(text):
    """msgid -> [msgstr, ...] of a .po file's text, and the fuzzy msgids

    A msgid with a context is "context|msgid".
    """
    found, fuzzy = {}, []
    for entry in re.split(r'\n\n+', text):
        if entry.startswith('#~') or 'msgid' not in entry:
            continue
        parts = re.split(r'^(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) ', entry,
                         flags=re.M)
        keys, values = parts[1::2], parts[2::2]
        name = '|'.join(unquote(v) for k, v in zip(keys, values)
                        if k in ('msgctxt', 'msgid'))
        if re.search(r'^#,.*fuzzy', entry, re.M) and name:
            fuzzy.append(name)
        found[name] = [unquote(v) for k, v in zip(keys, values)
                       if k.startswith('msgstr')]
    found.pop('', None)
    return found, fuzzy
