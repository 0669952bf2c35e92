"""dialogs.py -- a real GIMP with a window, and its CamLens dialogs under the
hands of a robot: keys and mouse go in by xdotool, pictures come out"""
import os
import time

from gimp import Gimp
from screen import Screen, wait

OVERLAY = "^Grad-CAM"
EXAMPLE = "^Explain by Example"
EXPORT = "^Export Overlay"
BUILD = "^Build Cluster Database"
ACCELERATORS = (("plug-in-camlens", "<Primary><Alt>l"),
                ("plug-in-camlens-example", "<Primary><Alt>e"),
                ("plug-in-camlens-export", "<Primary><Alt>x"),
                ("plug-in-camlens-build", "<Primary><Alt>b"))
# where the picture is in the overlay dialog, for all languages and themes
PICTURE = (30, 60, 380, 280)


class Dialogs:
    """GIMP with @photo open as im, its layer as layer."""

    def __init__(self, series, plug_in, profile, photo, env=None,
                 locale="C.UTF-8", dark=False, keep=False,
                 size=(1280, 900), options=(), accelerators=ACCELERATORS):
        self.series, self.photo = series, photo
        self.screen = Screen(*size)
        self.gimp = Gimp(series, plug_in, profile, env=env,
                         screen=self.screen, files=[photo],
                         accelerators=accelerators, locale=locale, dark=dark,
                         keep=keep, options=options)
        stem = os.path.basename(photo).split(".")[0]
        self.window = self.screen.wait_window(stem + ".*GIMP", 90)
        self.screen.activate(self.window)
        self.screen.resize(self.window, size[0], size[1] - 30)
        wait(lambda: self.number("(length (t-images))") == 1, 20)
        self.gimp("(begin (define im (car (t-images))) "
                  "(define layer (t-active im)) 1)")
        time.sleep(1)

    def close(self):
        self.gimp.close()
        self.screen.close()

    def number(self, text):
        return self.gimp.number(text)

    def layers(self):
        return int(self.number("(length (t-layers im))"))

    def focus(self):
        self.screen.activate(self.window)

    def open(self, keys, name):
        self.focus()
        self.screen.key(keys)
        dialog = self.screen.wait_window(name, 40)
        self.screen.activate(dialog)
        return dialog

    def look(self, dialog):
        """The picture's part of the dialog, once it stands still."""
        last = None
        for _ in range(60):
            now = self.screen.pixels(dialog, *PICTURE)
            if now is not None and now == last:
                return now
            last = now
            time.sleep(0.15)
        return last

    def wait_change(self, dialog, before, seconds=20):
        wait(lambda: self.look(dialog) != before, seconds)
        return self.look(dialog)

    def ready(self, dialog, looks=5):
        """The overlay is there: nothing moves any more for a while."""
        same, last = 0, None
        for _ in range(100):
            now = self.screen.pixels(dialog, 0, 0, 1200, 800)
            same = same + 1 if now == last else 0
            if same >= looks:
                return
            last = now
            time.sleep(0.2)

    def type_number(self, key, number):
        self.screen.key("alt+" + key)
        self.screen.key("ctrl+a")
        self.screen.do("type", "--delay", 40, number)
        self.screen.key("Tab")
