"""test-build.py -- the dialog "Build Cluster Database" in a real GIMP: what it
replaces, what it reports, and that a build in the background is found again.
Arguments: see interactive.py"""
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from dialogs import BUILD
from interactive import InteractiveTests
from screen import ended, wait


class Tests(InteractiveTests):
    # ---- helpers ----

    def place(self, name, copy=None):
        """A database's path with nothing there, or a copy."""
        path = self.fix.path(name)
        for old in (path, path + ".partial"):
            if os.path.exists(old):
                os.remove(old)
        if copy:
            shutil.copy(copy, path)
        return path

    def remember(self, folder, path):
        """What the dialog opens with"""
        values = os.path.join(self.gimp.profile, "camlens", "last-values")
        os.makedirs(os.path.dirname(values), exist_ok=True)
        with open(values, "a") as f:
            f.write("\n[plug-in-camlens-build]\nfolder=%s\nmodel=objects\n"
                    "database=%s\nclusters=3\ntriplets=10\n"
                    % (folder, path))

    def show(self):
        self.heard = len(self.log())
        dialog = self.open("ctrl+alt+b", BUILD)
        time.sleep(1)
        return dialog

    def hide(self):
        self.screen.key("Escape")
        self.ok(self.screen.wait_gone(BUILD), "the dialog is closed")

    def log(self):
        with open(self.gimp.profile + ".log", errors="replace") as f:
            return f.read()

    def told(self, pattern, seconds=60):
        """What the dialog told since show () or the last told ()"""
        def look():
            return re.search("camlens-told: (.*" + pattern + ".*)",
                             self.log()[self.heard:])
        found = wait(look, seconds)
        if not found:
            return ""
        self.heard += found.end()
        return found[1]

    def questions(self):
        return self.screen.do("search", "--onlyvisible", "--name",
                              BUILD).split()

    def question(self, name, seconds=20):
        """The second window of this title, with the keyboard in it"""
        if not self.ok(wait(lambda: len(self.questions()) == 2, seconds),
                       name):
            return None
        window = next(w for w in self.questions() if w != self.dialog)
        self.screen.activate(window)
        return window

    def answer(self, key):
        self.screen.key(key)
        wait(lambda: len(self.questions()) == 1, 10)
        self.screen.activate(self.dialog)

    def embeds(self, path):
        """Does the build of @path say that it is at the pictures?"""
        name = hashlib.sha256(path.encode()).hexdigest()[:16]
        log = os.path.join(self.gimp.profile, "xdg/cache/camlens",
                           "build-%s.log" % name)
        return re.search(br"progress \d+ 400 .* embedding", read(log))

    def empty_folder(self):
        folder = self.fix.path("empty")
        os.makedirs(folder, exist_ok=True)
        return folder

    def interrupted(self, path, triplets):
        """What the program leaves where a terminal's Ctrl+C ends it"""
        work = subprocess.Popen(
            [self.camlens, "build", "-q", "-m", "objects", "--clusters", "3",
             "--triplets", str(triplets), "--output=" + path,
             self.fix.many_pictures()], env=self.fix.env,
            stderr=subprocess.DEVNULL)
        wait(lambda: os.path.exists(path + ".partial"), 60)
        time.sleep(3)
        work.send_signal(signal.SIGINT)
        ended(work, 60)
        return os.path.exists(path + ".partial")

    # ---- tests ----

    def test_refused(self):
        dialog = self.show()
        self.shot("build-dialog", dialog)
        self.screen.key("alt+s")
        time.sleep(1)
        self.ok(self.screen.find(BUILD), "Start without a folder says so")
        self.shot("build-refused", dialog)
        self.hide()

    def test_stopped(self):
        """Started, stopped, gone on with, and the dialog closed meanwhile."""
        path = self.place("dialog.camdb")
        partial = path + ".partial"
        self.remember(self.fix.many_pictures(), path)
        dialog = self.show()
        self.screen.key("alt+s")
        self.ok(wait(lambda: os.path.exists(partial), 240), "Start builds")
        time.sleep(1.5)
        self.shot("build-running", dialog)
        self.screen.key("alt+s")
        self.ok(wait(lambda: not builders(path), 20), "Stop ends the program")
        self.ok(os.path.exists(partial) and not os.path.exists(path),
                "and keeps what was done")
        self.ok(self.told("stopped: "), "and says so", self.log()[-400:])
        self.shot("build-stopped", dialog)
        self.screen.key("alt+s")
        self.ok(wait(lambda: builders(path), 10), "Start goes on with it")
        self.ok(any("--resume" in b for b in builders(path).values()),
                "as a resumed build")
        self.hide()
        self.ok(builders(path), "the program outlives it")
        self.ok(wait(lambda: os.path.exists(path), 240),
                "and writes the database")

    def test_replaced(self):
        """A finished database is replaced by those who say so alone."""
        path = self.place("there.camdb", self.fix.database)
        before, place = read(path), os.stat(path).st_ino
        self.remember(self.fix.pictures, path)
        self.dialog = self.show()
        self.screen.key("alt+s")
        window = self.question("Start over a finished database asks")
        self.shot("build-replace", window)
        self.shot("build-replace-over", "root")
        self.answer("Return")
        time.sleep(1)
        self.ok(read(path) == before and not builders(path),
                "Return does not replace it")
        self.screen.key("alt+s")
        self.question("it asks again")
        self.answer("Escape")
        time.sleep(1)
        self.ok(read(path) == before and not builders(path),
                "nor does Escape")
        self.screen.key("alt+s")
        self.question("and again")
        self.answer("alt+r")
        told = self.told("done: ", 120)
        self.ok("18" in told and "3" in told and os.stat(path).st_ino != place,
                "Replace does", told or self.log()[-400:])
        self.shot("build-done", self.dialog)
        self.hide()

    def test_failed(self):
        """An old database does not make a failure a success."""
        path = self.place("old.camdb", self.fix.database)
        before = read(path)
        self.remember(self.empty_folder(), path)
        self.dialog = self.show()
        self.screen.key("alt+s")
        self.question("there is a database")
        self.answer("alt+r")
        told = self.told("(failed|done|left out|stopped): ")
        self.ok(told.startswith("failed: ") and "empty" in told
                and "camlens" not in told,
                "a build that failed is no success", told)
        self.ok(read(path) == before, "and the old database is as it was")
        self.shot("build-failed", self.dialog)
        self.hide()

    def test_left_out(self):
        """Whole, but for pictures that are named"""
        folder = self.fix.path("some-broken")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.fix.pictures, folder)
        for i in range(2):
            with open(os.path.join(folder, "ring", "bad%d.png" % i),
                      "wb") as f:
                f.write(b"\x89PNG\r\n\x1a\nno")
        path = self.place("some.camdb")
        self.remember(folder, path)
        self.dialog = self.show()
        self.screen.key("alt+s")
        told = self.told("left out: ", 120)
        text = self.log()[self.heard:]
        self.ok(os.path.exists(path) and "2 left out" in told
                and "bad0.png" in text and "bad1.png" in text,
                "pictures that were left out are named", told)
        self.shot("build-left-out", self.dialog)
        self.hide()

    def test_found_again(self):
        """A build in the background, after its dialog was closed"""
        path = self.place("again.camdb")
        self.remember(self.fix.many_pictures(), path)
        self.show()
        self.screen.key("alt+s")
        self.ok(wait(lambda: os.path.exists(path + ".partial"), 240),
                "a build begins")
        self.hide()
        self.ok(builders(path), "and goes on")
        # another database is remembered: any build that goes on is shown
        self.remember(self.fix.pictures, self.place("nothing.camdb"))
        dialog = self.show()
        self.ok(self.told("attached"), "the dialog finds it again")
        wait(lambda: self.embeds(path), 120)
        time.sleep(0.5)
        self.shot("build-found-again", dialog)
        first = self.screen.pixels(dialog, 0, 0, 1200, 800)
        self.ok(wait(lambda: self.screen.pixels(dialog, 0, 0, 1200, 800)
                     != first, 30), "with its progress")
        self.screen.key("alt+s")
        self.ok(wait(lambda: not builders(path), 30),
                "and its Stop, which ends it")
        self.ok(self.told("stopped: ") and os.path.exists(path + ".partial"),
                "what was done is kept")
        self.shot("build-found-stopped", dialog)
        self.hide()
        self.remember(self.fix.many_pictures(), path)
        dialog = self.show()
        self.ok(self.told("interrupted build"),
                "later the dialog says what Start goes on with")
        self.shot("build-kept", dialog)
        self.screen.key("alt+s")
        self.ok(wait(lambda: builders(path), 20), "Start goes on with it")
        self.hide()
        self.ok(wait(lambda: os.path.exists(path) and not builders(path), 240),
                "it ends when nobody looks")
        dialog = self.show()
        self.ok("400" in self.told("done: "), "and the dialog tells of it")
        self.hide()
        self.show()
        self.ok(not self.told("done: ", 2), "once")
        self.hide()

    def test_killed(self):
        """Killed when nobody looked: no success, whatever is there"""
        path = self.place("killed.camdb", self.fix.database)
        before = read(path)
        self.remember(self.fix.many_pictures(), path)
        self.dialog = self.show()
        self.screen.key("alt+s")
        self.question("there is a database")
        self.answer("alt+r")
        wait(lambda: os.path.exists(path + ".partial"), 60)
        time.sleep(1)
        self.hide()
        for number in builders(path):
            os.kill(number, signal.SIGKILL)
        wait(lambda: not builders(path), 20)
        self.show()
        told = self.told("(failed|done|left out|stopped): ")
        self.ok(told.startswith("failed: ") and read(path) == before,
                "a killed build is told of", told)
        self.hide()

    def test_stranger(self):
        """A log without its lock is no build, and its process a stranger."""
        path = self.place("stranger.camdb")
        self.remember(self.fix.pictures, path)
        stranger = subprocess.Popen(["sleep", "600"])
        self.show()
        self.screen.key("alt+s")
        self.ok(self.told("done: ", 120), "a build")
        self.hide()
        cache = os.path.join(self.gimp.profile, "xdg/cache/camlens")
        with open(os.path.join(cache, "build-0123456789abcdef.log"), "w") as f:
            f.write("setting folder /\nsetting model objects\nsetting database "
                    "%s\npid %d\n" % (path, stranger.pid))
        self.show()
        self.ok(not self.told("attached", 3), "is not found again")
        self.screen.key("Escape")
        self.screen.wait_gone(BUILD)
        self.ok(stranger.poll() is None, "and nothing is done to the process")
        stranger.kill()
        stranger.wait()

    def test_terminal(self):
        """The same database is built by the program in a terminal."""
        path = self.place("terminal.camdb", self.fix.database)
        before = read(path)
        work = subprocess.Popen(
            [self.camlens, "build", "-q", "-m", "objects", "--clusters", "3",
             "--output=" + path, self.fix.many_pictures()], env=self.fix.env)
        wait(lambda: os.path.exists(path + ".partial"), 60)
        self.remember(self.fix.many_pictures(), path)
        dialog = self.show()
        self.ok(self.told("Another program"), "is said to be another's")
        self.shot("build-busy", dialog)
        self.screen.key("alt+s")
        self.ok(self.told("Another program") and len(builders(path)) == 1
                and len(self.questions()) == 1 and read(path) == before,
                "and Start leaves it alone")
        self.hide()
        work.send_signal(signal.SIGINT)
        ended(work, 60)

    def test_other_settings(self):
        """What an interrupted build of other settings has done"""
        path = self.place("other.camdb")
        partial = path + ".partial"
        self.ok(self.interrupted(path, 9), "a build of 9 triplets is interrupted")
        self.remember(self.fix.many_pictures(), path)
        self.dialog = self.show()
        self.screen.key("alt+s")
        told = self.told("other: ")
        self.ok(partial in told and "--" not in told,
                "10 triplets do not go on with it", told)
        window = self.question("and it asks what to do")
        self.shot("build-other", window)
        self.answer("Return")
        self.ok(os.path.exists(partial) and not builders(path),
                "Return throws nothing away")
        self.screen.key("alt+s")
        self.question("Start asks again")
        self.answer("alt+b")
        self.ok(wait(lambda: any("--restart" in b
                                 for b in builders(path).values()), 20),
                "and Begin Again does")
        self.screen.key("alt+s")
        self.told("stopped: ", 30)
        self.hide()

    def all(self):
        self.start()
        for name in ("refused", "stopped", "replaced", "failed", "left_out",
                     "found_again", "killed", "stranger", "terminal",
                     "other_settings"):
            self.attempt(name, getattr(self, "test_" + name))


def read(path):
    with open(path, "rb") as f:
        return f.read()


def builders(database):
    """The programs that build @database now, number -> command line: another
    run of these tests may build its own."""
    wanted = ("--output=" + database).encode()
    found = {}
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/cmdline" % name, "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if len(words) > 2 and words[1] == b"build" and wanted in words:
            found[int(name)] = " ".join(w.decode() for w in words)
    return found


Tests().run()
