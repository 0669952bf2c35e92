"""screenshots.py SERIES PLUG-IN CAMLENS MODELS WORK SHOTS PHOTO -- a picture of
every dialog, for people to look at; some of them are in the README

CAMLENS_TEST_LOCALE=de_DE.UTF-8 and CAMLENS_TEST_DARK=1 show them in another
language and in GIMP's dark theme.  MODELS is the folder of installed models.
"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from dialogs import Dialogs


class Shots:
    def __init__(self, dialogs, folder):
        self.d, self.folder = dialogs, folder
        self.s = dialogs.screen

    def shot(self, name, window):
        self.s.shot(os.path.join(self.folder, name + ".png"), window)

    def dialog(self, keys):
        """The window that @keys bring up, whatever its name is."""
        before = set(self.visible())
        self.d.focus()
        self.s.key(keys)
        for _ in range(300):
            new = [w for w in self.visible() if w not in before]
            if new:
                self.s.do("windowactivate", "--sync", new[-1])
                self.d.ready(new[-1])
                time.sleep(0.5)
                return new[-1]
            time.sleep(0.1)
        raise RuntimeError("no dialog by " + keys)

    def visible(self):
        return self.s.do("search", "--onlyvisible", "--name", ".+").split()

    def close(self, window):
        self.s.do("windowactivate", "--sync", window)
        self.s.key("Escape")
        time.sleep(1)

    def overlay(self):
        window = self.dialog("ctrl+alt+l")
        self.shot("overlay", window)
        self.s.key("alt+h" if not os.environ.get("CAMLENS_TEST_LOCALE")
                   else "F1")
        time.sleep(2)
        self.shot("overlay-help", "root")
        self.s.key("Escape")
        time.sleep(2)
        self.s.do("windowactivate", "--sync", window)
        self.s.key("alt+o")
        time.sleep(6)
        self.shot("result", "root")

    def example(self):
        window = self.dialog("ctrl+alt+e")
        self.shot("example", window)
        self.close(window)

    def export(self):
        window = self.dialog("ctrl+alt+x")
        self.shot("export", window)
        self.close(window)

    def build(self):
        window = self.dialog("ctrl+alt+b")
        self.shot("build", window)
        self.close(window)

    def menu(self):
        self.d.focus()
        self.s.key("alt+r")
        time.sleep(1)
        if self.d.series == "2.10":  # up to CamLens, and into it
            self.s.key("End", "Up", "Up", "Right")
            time.sleep(1)
        self.shot("menu", "root")
        self.s.key("Escape")
        self.s.key("Escape")


def main():
    series, plug_in, camlens, models, work, folder, photo = sys.argv[1:8]
    os.makedirs(folder, exist_ok=True)
    os.makedirs(work, exist_ok=True)
    copy = os.path.join(work, os.path.basename(photo))
    shutil.copy(photo, copy)
    dialogs = Dialogs(series, plug_in, os.path.join(work, "profile"), copy,
                      env={"CAMLENS_MODEL_PATH": models,
                           "CAMLENS_PROGRAM": camlens},
                      locale=os.environ.get("CAMLENS_TEST_LOCALE", "C.UTF-8"),
                      dark="CAMLENS_TEST_DARK" in os.environ)
    shots = Shots(dialogs, folder)
    try:
        for name in (sys.argv[8:]
                     or ("overlay", "example", "export", "build", "menu")):
            getattr(shots, name)()
    finally:
        dialogs.close()


main()
