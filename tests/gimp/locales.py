"""locales.py -- GIMP in other languages, on a machine without their locales"""
import os
import subprocess

from screen import limited


def make_locale(folder, locale):
    """A folder with @locale, which the machine need not have."""
    to = os.path.join(folder, locale)
    if not os.path.isdir(to):
        os.makedirs(folder, exist_ok=True)
        # a warning is a status of 1, too: what counts is the result
        limited(["localedef", "-i", locale.split(".")[0], "-f", "UTF-8", to],
                120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not os.path.isdir(to):
        raise RuntimeError("no locale %s: install 'locales'" % locale)
    return folder
