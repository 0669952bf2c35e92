"""test-accidents.py -- what a GIMP that refuses, a plug-in that is killed and a
person who does other things meanwhile leave of the image and its undo history.
Arguments: see interactive.py"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from accidents import Accidents, environment
from interactive import InteractiveTests


class Tests(Accidents, InteractiveTests):
    def start(self, **more):
        self.plan("")
        super().start(env=environment(self.plug_in, self.fix.folder),
                      options=["--console-messages"], **more)

    def all(self):
        self.start()
        for name in dir(self):
            if name.startswith("test_"):
                self.attempt(name, getattr(self, name))
        self.ok(self.gimp.alive(), "GIMP lives")


Tests().run()
