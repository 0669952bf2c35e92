"""screenshots.py SERIES PLUG-IN CAMLENS MODELS WORK SHOTS PHOTO [SCENE]... -- a
picture of every dialog, message and warning, for people to look at; some of
them are in the README

CAMLENS_TEST_LOCALE=de_DE.UTF-8 and CAMLENS_TEST_DARK=1 show them in another
language and in GIMP's dark theme.  MODELS is the folder of installed models.
A scene is a method of Shots or, where the models are odd, one of ODD.
"""
import gettext
import glob
import os
import re
import shutil
import sqlite3
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from dialogs import Dialogs
from fixtures import Fixtures
from screen import wait

LONG = ("Butterflies and moths of central and northern Europe, photographed "
        "in the field, second edition")


class Shots:
    def __init__(self, dialogs, fixtures, folder, translate):
        self.d, self.fix, self.folder = dialogs, fixtures, folder
        self.s, self.translate = dialogs.screen, translate

    def shot(self, name, window):
        self.s.shot(os.path.join(self.folder, name + ".png"), window)

    # ---- keys, which differ from language to language ----

    def press(self, label):
        """The control that @label, as the sources have it, names."""
        key = re.search("_(.)", self.translate(label)).group(1)
        self.s.key("alt+" + key.lower())

    def next_line(self, label):
        """Of the list that @label names."""
        self.press(label)
        if self.d.series == "2.10":
            self.s.key("Down")
            return
        self.s.key("space")
        time.sleep(0.5)
        self.s.key("Down", "Return")

    # ---- windows ----

    def visible(self):
        return self.s.do("search", "--onlyvisible", "--name", ".+").split()

    def appears(self, before, seconds=40):
        def new():
            return [w for w in self.visible() if w not in before]

        windows = wait(new, seconds)
        if not windows:
            raise RuntimeError("no new window")
        self.s.activate(windows[-1])
        self.d.ready(windows[-1], 10)
        return windows[-1]

    def dialog(self, keys):
        """The window that @keys bring up, whatever its name is."""
        self.d.focus()
        return self.appears_by(self.s.key, keys)

    def appears_by(self, do, *args):
        before = set(self.visible())
        do(*args)
        return self.appears(before)

    def close(self, *windows):
        for window in windows:
            self.s.activate(window)
            self.s.key("Escape")
            wait(lambda w=window: w not in self.visible(), 5)

    # ---- scenes ----

    def overlay(self):
        window = self.dialog("ctrl+alt+l")
        self.shot("overlay", window)
        self.close(window)

    def result(self):
        self.dialog("ctrl+alt+l")
        self.press("_OK")
        wait(lambda: self.d.layers() == 2, 20)
        time.sleep(2)
        self.shot("result", "root")

    def nearest(self):
        """A compact database has no single pictures."""
        window = self.dialog("ctrl+alt+l")
        self.next_line("_Weights:")
        self.d.ready(window)
        self.shot("overlay-nearest", window)
        self.close(window)

    def preset(self):
        window = self.dialog("ctrl+alt+l")
        self.press("Pre_set:")
        self.s.key("Tab")
        name = self.appears_by(self.s.key, "space")
        self.shot("preset-name", name)
        self.close(name, window)

    def help(self):
        for name, keys in (("overlay", "l"), ("example", "e"), ("build", "b")):
            window = self.dialog("ctrl+alt+" + keys)
            text = self.appears_by(self.s.key, "F1")
            self.shot("help-" + name, text)
            self.close(text, window)

    def file(self):
        """The last line of the models opens a file dialog."""
        window = self.dialog("ctrl+alt+l")
        chooser = self.appears_by(self.next_line, "_Model:")
        self.shot("file", chooser)
        self.close(chooser, window)

    def example(self):
        window = self.dialog("ctrl+alt+e")
        self.shot("example", window)
        self.close(window)
        self.d.gimp('(begin (define other (t-load "%s")) (gimp-display-new '
                    "other) 1)" % self.fix.positive)
        time.sleep(1)
        self.d.focus()
        self.s.key("alt+1")  # back to the picture
        time.sleep(1)
        window = self.dialog("ctrl+alt+e")
        self.next_line("Pos_itive:")
        self.d.ready(window)
        self.shot("example-chosen", window)
        self.close(window)

    def export(self):
        stem = os.path.splitext(self.d.photo)[0]
        for old in glob.glob(glob.escape(stem) + "-*"):
            os.remove(old)
        window = self.dialog("ctrl+alt+x")
        self.shot("export", window)
        self.press("_Export")
        wait(lambda: window not in self.visible(), 20)
        window = self.dialog("ctrl+alt+x")
        again = self.appears_by(self.press, "_Export")
        self.shot("export-again", again)
        self.close(again, window)

    def message(self):
        """GIMP's own message: the picture is no overlay."""
        text = self.dialog("ctrl+alt+x")
        self.shot("message", "root")
        self.close(text)

    def build(self):
        window = self.dialog("ctrl+alt+b")
        self.shot("build", window)
        self.press("_Start")
        time.sleep(1)
        self.shot("build-refused", window)
        self.close(window)
        path = self.fix.path("shot.camdb")
        for old in (path, path + ".partial"):
            if os.path.exists(old):
                os.remove(old)
        values = os.path.join(self.d.gimp.profile, "camlens", "last-values")
        os.makedirs(os.path.dirname(values), exist_ok=True)
        with open(values, "a") as f:
            f.write("\n[plug-in-camlens-build]\nfolder=%s\nmodel=objects\n"
                    "database=%s\nclusters=3\ntriplets=10\n"
                    % (self.fix.many_pictures(), path))
        window = self.dialog("ctrl+alt+b")
        self.press("_Start")
        wait(lambda: os.path.exists(path + ".partial"), 60)
        time.sleep(1)
        self.shot("build-running", window)
        self.press("_Stop")
        time.sleep(2)
        self.shot("build-stopped", window)
        self.press("_Start")
        wait(lambda: os.path.exists(path), 120)
        time.sleep(1)
        self.shot("build-done", window)
        self.close(window)

    def menu(self):
        self.d.focus()
        self.s.key("alt+r")
        time.sleep(1)
        if self.d.series == "2.10":  # up to CamLens, and into it
            self.s.key("End", "Up", "Up", "Right")
        else:
            self.s.key("Up", "Right")
        time.sleep(1)
        self.shot("menu", "root")
        self.s.key("Escape")
        self.s.key("Escape")

    def gray(self):
        self.d.gimp("(begin (gimp-image-convert-grayscale im) "
                    "(gimp-displays-flush) 1)")
        self.dialog_as("gray")
        self.undo()

    def indexed(self):
        self.d.gimp("(begin (t-convert-indexed im) (gimp-displays-flush) 1)")
        self.dialog_as("indexed")
        self.undo()

    def dialog_as(self, name):
        window = self.dialog("ctrl+alt+l")
        self.shot(name, window)
        self.close(window)

    def undo(self):
        self.d.focus()
        self.s.key("ctrl+z")
        time.sleep(1)


# ---- models that make CamLens warn or complain ----

def copy_model(models, work, name, title=None, database="objects.camdb"):
    """The bundled model in a folder of its own; the database's new path."""
    to = os.path.join(work, "odd-" + name, "objects")
    shutil.rmtree(to, ignore_errors=True)
    os.makedirs(to)
    for file in ("model.onnx", "model.ini"):
        shutil.copy(os.path.join(models, "objects", file), to)
    if title:
        path = os.path.join(to, "model.ini")
        with open(path) as f:
            text = re.sub("(?m)^name=.*", "name=" + title, f.read())
        with open(path, "w") as f:
            f.write(text)
    if database:
        shutil.copy(os.path.join(models, "objects", "objects.camdb"),
                    os.path.join(to, database))
    return os.path.dirname(to), os.path.join(to, database or "")


def bare(models, work):
    return copy_model(models, work, "bare", database=None)[0]


def none(models, work):
    return os.path.join(work, "odd-none")


def far(models, work):
    folder, database = copy_model(models, work, "far")
    with sqlite3.connect(database) as db:
        db.execute("UPDATE info SET value = 0.01 WHERE key = 'far_distance'")
    return folder


def empty(models, work):
    """Every channel speaks against every picture."""
    folder, database = copy_model(models, work, "empty")
    with sqlite3.connect(database) as db:
        rows = db.execute("SELECT id, weights FROM cluster").fetchall()
        for number, blob in rows:
            form = "<%df" % (len(blob) // 4)
            weights = [-abs(w) for w in struct.unpack(form, blob)]
            db.execute("UPDATE cluster SET weights = ? WHERE id = ?",
                       (struct.pack(form, *weights), number))
    return folder


def long(models, work):
    folder, database = copy_model(
        models, work, "long", LONG,
        LONG.replace(" ", "-").replace(",", "") + ".camdb")
    with sqlite3.connect(database) as db:
        db.execute("UPDATE cluster_label SET label = 'a rather long label of '"
                   " || label")
        db.execute("UPDATE exemplar SET path = 'a rather long folder/' ||"
                   " path")
    return folder


def doubt(models, work):
    """Settings that can hardly be meant."""
    folder, database = copy_model(models, work, "doubt")
    path = os.path.join(folder, "objects", "model.ini")
    with open(path) as f:
        text = re.sub("(?m)^input.scale=.*\\n", "", f.read())
    with open(path, "w") as f:
        f.write(text)
    return folder


ODD = {"bare": bare, "none": none, "far": far, "empty": empty, "long": long,
       "doubt": doubt}


class Studio:
    """Starts GIMPs, one after the other."""

    def __init__(self, series, plug_in, camlens, models, work, folder, photo):
        self.series, self.plug_in, self.camlens = series, plug_in, camlens
        self.models, self.work, self.folder = models, work, folder
        os.makedirs(folder, exist_ok=True)
        os.makedirs(work, exist_ok=True)
        self.photo = os.path.join(work, os.path.basename(photo))
        shutil.copy(photo, self.photo)
        self.fixtures = Fixtures(os.path.join(work, "files"), camlens,
                                 os.path.join(models, "objects"))
        self.locale = os.environ.get("CAMLENS_TEST_LOCALE", "C.UTF-8")
        self.translate = gettext.translation(
            "camlens", os.path.join(os.path.dirname(plug_in), "..", "po"),
            [self.locale[:2]], fallback=True).gettext

    def take(self, models, scenes, **more):
        dialogs = Dialogs(self.series, self.plug_in,
                          os.path.join(self.work, "profile"), self.photo,
                          env={"CAMLENS_MODEL_PATH": models,
                               "CAMLENS_PROGRAM": self.camlens},
                          locale=self.locale,
                          dark="CAMLENS_TEST_DARK" in os.environ, **more)
        shots = Shots(dialogs, self.fixtures, self.folder, self.translate)
        try:
            for name in scenes:
                if isinstance(name, str):
                    getattr(shots, name)()
                else:
                    shots.dialog_as(*name)
        except RuntimeError:
            shots.shot("failed", "root")
            raise
        finally:
            dialogs.close()

    def odd(self, name):
        if name == "thumbnails":
            models = self.fixtures.models
        else:
            models = ODD[name](self.models, self.work)
        self.take(models, [(name,)])


def main():
    studio = Studio(*sys.argv[1:8])
    scenes = sys.argv[8:] or [
        "overlay", "nearest", "preset", "help", "file", "example", "message",
        "build", "gray", "indexed", "result", "export", "menu", "thumbnails",
        *ODD]
    odd = [name for name in scenes if name in ODD or name == "thumbnails"]
    plain = [name for name in scenes if name not in [*odd, "menu"]]
    if plain:
        studio.take(studio.models, plain)
    if "menu" in scenes:  # as a user has it, without the tests' keys
        studio.take(studio.models, ["menu"], accelerators=())
    for name in odd:
        studio.odd(name)


main()
