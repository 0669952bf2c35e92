"""screen.py -- an Xvfb with a window manager, driven with xdotool

Nothing here, and nothing that uses it, waits without a limit: what does not
come is an error that names it.
"""
import os
import select
import subprocess
import time
import zlib


def wait(true, seconds):
    """What @true gives as soon as it is something.  The time is counted in
    naps, so that a test which is itself held up does not give up."""
    for _ in range(int(seconds * 20)):
        value = true()
        if value:
            return value
        time.sleep(0.05)
    return true()


def limited(command, seconds, **more):
    """subprocess.run, with the command's name when it takes too long."""
    try:
        return subprocess.run(command, timeout=seconds, check=False, **more)
    except subprocess.TimeoutExpired:
        raise RuntimeError("not done within %d s: %s" % (
            seconds, " ".join(command))) from None


def ended(process, seconds=20):
    """Waits for a process that was told to end, and kills it at last."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


class Screen:
    def __init__(self, width=1280, height=900):
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0",
             "%dx%dx24" % (width, height), "-nolisten", "tcp", "-noreset",
             "-r"],  # a key whose release comes late is no second key
            pass_fds=[write], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(write)
        self.name = ":" + self.number(read)
        os.close(read)
        self.env = dict(os.environ, DISPLAY=self.name)
        self.manager = self.start_manager()

    def start_manager(self):
        return subprocess.Popen(["openbox"], env=self.env,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def until(self, true, seconds, wake=("set_desktop", 0)):
        """wait () for what the window manager has to do.  openbox now and then
        sleeps on an event that it has read already: another one wakes it.
        Where it ended or hangs there is a new one, as none is tested here."""
        for second in range(seconds):
            value = wait(true, 1)
            if value:
                return value
            if self.manager.poll() is not None:
                self.replace_manager("ended with %d" % self.manager.returncode)
            elif second == seconds // 2:
                self.replace_manager("does nothing")
            self.do(*wake)
        return true()

    def replace_manager(self, why):
        print("# the window manager %s, and is started again" % why,
              flush=True)
        self.manager.kill()
        ended(self.manager)
        self.manager = self.start_manager()

    def number(self, pipe, seconds=30):
        """Of the display, which the server writes when it is ready."""
        number = b""
        while not number.endswith(b"\n"):
            ready, _, _ = select.select([pipe], [], [], seconds)
            byte = os.read(pipe, 1) if ready else b""
            if not byte:
                self.server.kill()
                raise RuntimeError("Xvfb did not start")
            number += byte
        return number.decode().strip()

    def close(self):
        for process in (self.manager, self.server):
            process.terminate()
            ended(process)

    def do(self, *args):
        return limited(["xdotool", *map(str, args)], 30, env=self.env,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       text=True).stdout.strip()

    def find(self, name):
        found = self.do("search", "--onlyvisible", "--name", name).split()
        return found[-1] if found else None

    def wait_window(self, name, seconds=30):
        window = self.until(lambda: self.find(name), seconds)
        if not window:
            raise RuntimeError("no window '%s'" % name)
        return window

    def wait_gone(self, name, seconds=10):
        return wait(lambda: not self.find(name), seconds)

    def activate(self, window, seconds=15):
        """xdotool's own --sync waits for ever."""
        wake = ("windowactivate", window)
        self.do(*wake)
        if not self.until(lambda: self.do("getactivewindow") == window,
                          seconds, wake):
            raise RuntimeError("the window '%s' does not become active: '%s' "
                               "is" % (self.title(window), self.title(
                                   self.do("getactivewindow"))))

    def title(self, window):
        return self.do("getwindowname", window) if window else ""

    def resize(self, window, width, height, seconds=5):
        """As far as the window lets itself be resized."""
        self.do("windowsize", window, width, height)
        want = "%d %d" % (width, height)
        self.do("set_desktop", 0)  # see until ()
        return wait(lambda: self.size(window) == want, seconds)

    def size(self, window):
        lines = self.do("getwindowgeometry", "--shell", window).splitlines()
        place = dict(line.split("=") for line in lines)
        return "%s %s" % (place.get("WIDTH"), place.get("HEIGHT"))

    def key(self, *keys):
        self.do("key", "--clearmodifiers", "--delay", 60, *keys)

    def shot(self, path, window="root"):
        limited(["import", "-window", window, path], 60, env=self.env,
                stderr=subprocess.DEVNULL)

    def pixels(self, window, x, y, w, h):
        """A checksum of what a part of a window shows."""
        raw = limited(["import", "-window", window, "-crop",
                       "%dx%d+%d+%d" % (w, h, x, y), "rgb:-"], 60,
                      env=self.env, stdout=subprocess.PIPE,
                      stderr=subprocess.DEVNULL).stdout
        return zlib.crc32(raw) if raw else None
