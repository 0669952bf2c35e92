"""interactive.py -- what the test programs with windows have in common: their
arguments are SERIES PLUG-IN CAMLENS OBJECTS WORK [SHOTS], and screenshots go to
the folder SHOTS, where it is given.  CAMLENS_TEST_ONLY="NAME..." runs only
those of their tests."""
import os
import sys

from dialogs import Dialogs
from fixtures import Fixtures
from gimp import Tap


class InteractiveTests(Tap):
    """The helpers of a test are those of its Dialogs."""

    def __init__(self):
        super().__init__()
        (self.series, self.plug_in, self.camlens, objects,
         self.work) = sys.argv[1:6]
        self.shots = (sys.argv[6] if len(sys.argv) > 6
                      else os.path.join(self.work, "shots"))
        os.makedirs(self.shots, exist_ok=True)
        self.fix = Fixtures(os.path.join(self.work, "files"), self.camlens,
                            objects)
        self.d = None

    def __getattr__(self, name):
        return getattr(self.d, name)

    def start(self, env=None, **more):
        """Another GIMP, with the photograph open in it."""
        if self.d:
            self.d.close()
        env = dict({"CAMLENS_MODEL_PATH": self.fix.models,
                    "CAMLENS_PROGRAM": self.camlens, "CAMLENS_TIMING": "1"},
                   **(env or {}))
        self.d = Dialogs(self.series, self.plug_in,
                         os.path.join(self.work, "profile"), self.fix.photo,
                         env=env, **more)

    def shot(self, name, window):
        self.screen.shot(os.path.join(self.shots, name + ".png"), window)

    def undo(self):
        self.focus()
        self.screen.key("ctrl+z")

    def attempt(self, name, test, *args):
        try:
            test(*args)
        except Exception as error:  # the other tests go on, in another GIMP
            self.shot("failed-" + name, "root")
            self.ok(False, name, repr(error))
            self.start(keep=True)

    def run(self):
        """Of a program that has all ()."""
        only = os.environ.get("CAMLENS_TEST_ONLY", "").split()
        try:
            if only:
                self.start()
                for name in only:
                    self.attempt(name, getattr(self, "test_" + name))
            else:
                self.all()
        finally:
            if self.d:
                self.d.close()
        self.done()
