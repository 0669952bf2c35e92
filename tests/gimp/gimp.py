"""gimp.py -- a real GIMP for tests: private profile, asked through Script-Fu

Both series speak the same small language here: PRELUDE_2 and PRELUDE_3 define
the t-... functions that the tests use, so that a test is written once.
GIMP runs without a display (console) or on the Xvfb of a Screen.
"""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib

from locales import make_locale
from screen import ended, limited, wait

HERE = os.path.dirname(os.path.abspath(__file__))

ANSWER = 300  # seconds, the most that a call may take

PROFILE_FOLDERS = """brushes dynamics fonts gradients palettes patterns scripts
tool-presets tool-options templates tmp curves levels filters themes icons
environ interpreters modules internal-data plug-ins/camlens""".split()

GIMPRC = {
    "2.10": """(check-updates no)
(save-accels no)
(color-profile-policy keep)
(save-session-info no)
(theme "%s")
(icon-theme "Color")
(icon-size medium)
""",
    "3": """(config-version "%s")
(check-updates no)
(show-welcome-dialog no)
(save-session-info no)
(save-accels no)
(color-profile-policy keep)
(theme-color-scheme %s)
""",
}

PRELUDE = {
    "2.10": r"""
(define (t-load path) (car (gimp-file-load RUN-NONINTERACTIVE path path)))
(define (t-new w h type) (car (gimp-image-new w h type)))
(define (t-new-precision w h type precision)
  (car (gimp-image-new-with-precision w h type precision)))
(define (t-layer-new image w h type name)
  (car (gimp-layer-new image w h type name 100 LAYER-MODE-NORMAL)))
(define (t-insert image layer parent position)
  (gimp-image-insert-layer image layer parent position))
(define (car-or value) (if (pair? value) (car value) value))
(define (t-group image) (car (gimp-layer-group-new image)))
(define (t-active image) (car (gimp-image-get-active-drawable image)))
(define (t-layers image)
  (vector->list (cadr (gimp-image-get-layers image))))
(define (t-children item)
  (vector->list (cadr (gimp-item-get-children item))))
(define (t-parent item) (car (gimp-item-get-parent item)))
(define (t-position image item)
  (car (gimp-image-get-item-position image item)))
(define (t-name item) (car (gimp-item-get-name item)))
(define (t-set-name item name) (gimp-item-set-name item name))
(define (t-opacity layer) (car (gimp-layer-get-opacity layer)))
(define (t-mode layer) (car (gimp-layer-get-mode layer)))
(define (t-offsets layer) (gimp-drawable-offsets layer))
(define (t-width d) (car (gimp-drawable-width d)))
(define (t-height d) (car (gimp-drawable-height d)))
(define (t-base-type image) (car (gimp-image-base-type image)))
(define (t-gray? d) (= TRUE (car (gimp-drawable-is-gray d))))
(define (t-parasite item name)
  (caddr (car (gimp-item-get-parasite item name))))
(define (t-save image drawable path)
  (file-png-save-defaults RUN-NONINTERACTIVE image drawable path path))
(define (t-save-as image drawable path)
  (gimp-file-save RUN-NONINTERACTIVE image drawable path path))
(define (t-save-layer layer path)
  (let* ((image (t-new (t-width layer) (t-height layer)
                       (if (t-gray? layer) GRAY RGB)))
         (copy (car (gimp-layer-new-from-drawable layer image))))
    (gimp-image-insert-layer image copy 0 0)
    (gimp-layer-set-opacity copy 100)
    (gimp-layer-set-offsets copy 0 0)
    (t-save image copy path)
    (gimp-image-delete image)))
(define (t-save-composite image path)
  (let ((copy (car (gimp-image-duplicate image))))
    (gimp-image-flatten copy)
    (t-save copy (t-active copy) path)
    (gimp-image-delete copy)))
(define (t-xcf image path)
  (gimp-xcf-save RUN-NONINTERACTIVE image (t-active image) path path))
(define (t-select image x y w h)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y w h))
(define (t-selected? image)
  (= FALSE (car (gimp-selection-is-empty image))))
(define (t-images) (vector->list (cadr (gimp-image-list))))
(define (t-dirty? image) (= TRUE (car (gimp-image-is-dirty image))))
(define (t-mask layer type)
  (let ((mask (car (gimp-layer-create-mask layer type))))
    (gimp-layer-add-mask layer mask)
    mask))
(define (t-resize-layer layer w h x y) (gimp-layer-resize layer w h x y))
(define (t-convert-precision image p) (gimp-image-convert-precision image p))
(define (t-convert-indexed image)
  (gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE
                              64 FALSE FALSE ""))
(define (t-run image d model db top-k opacity map mode threshold transfer)
  (plug-in-camlens RUN-NONINTERACTIVE image d model db top-k opacity
    (t-index map '("turbo" "viridis" "inferno" "jet" "gray"))
    (t-mode-number mode) threshold
    (t-index transfer '("cluster" "neighbour"))))
(define (t-index name names)
  (let loop ((i 0) (rest names))
    (cond ((null? rest) 99) ((string=? name (car rest)) i)
          (else (loop (+ i 1) (cdr rest))))))
(define (t-mode-number name)
  (cond ((string=? name "normal") LAYER-MODE-NORMAL)
        ((string=? name "multiply") LAYER-MODE-MULTIPLY)
        ((string=? name "screen") LAYER-MODE-SCREEN)
        ((string=? name "soft-light") LAYER-MODE-SOFTLIGHT)
        (else 59)))
(define (t-run-last image d)
  (plug-in-camlens RUN-WITH-LAST-VALS image d "" "" 0 0 0 0 0 0))
(define (t-interactive image d)
  (plug-in-camlens RUN-INTERACTIVE image d "" "" 0 0 0 0 0 0))
(define (t-example image d model positive negative top-k)
  (plug-in-camlens-example RUN-NONINTERACTIVE image d model positive negative
    top-k 60 0 LAYER-MODE-NORMAL 0))
(define (t-export image d what path)
  (plug-in-camlens-export RUN-NONINTERACTIVE image d
    (t-index what '("overlay" "composite" "heat-map" "array" "provenance"))
    path))
(define (t-build folder model path clusters)
  (plug-in-camlens-build RUN-NONINTERACTIVE folder model path clusters 10))
""",
    "3": r"""
(define (t-load path) (gimp-file-load RUN-NONINTERACTIVE path))
(define (t-new w h type) (gimp-image-new w h type))
(define (t-new-precision w h type precision)
  (gimp-image-new-with-precision w h type precision))
(define (t-layer-new image w h type name)
  (gimp-layer-new image name w h type 100 LAYER-MODE-NORMAL))
(define (t-insert image layer parent position)
  (gimp-image-insert-layer image layer (if (= parent 0) -1 parent) position))
(define (car-or value) (if (pair? value) (car value) value))
(define (t-group image) (gimp-group-layer-new image "group"))
(define (t-active image)
  (vector-ref (gimp-image-get-selected-drawables image) 0))
(define (t-layers image) (vector->list (gimp-image-get-layers image)))
(define (t-children item) (vector->list (gimp-item-get-children item)))
(define (t-parent item) (gimp-item-get-parent item))
(define (t-position image item) (gimp-image-get-item-position image item))
(define (t-name item) (gimp-item-get-name item))
(define (t-set-name item name) (gimp-item-set-name item name))
(define (t-opacity layer) (gimp-layer-get-opacity layer))
(define (t-mode layer) (gimp-layer-get-mode layer))
(define (t-offsets layer) (gimp-drawable-get-offsets layer))
(define (t-width d) (gimp-drawable-get-width d))
(define (t-height d) (gimp-drawable-get-height d))
(define (t-base-type image) (gimp-image-get-base-type image))
(define (t-gray? d) (gimp-drawable-is-gray d))
(define (t-parasite item name) (caddr (gimp-item-get-parasite item name)))
(define (t-save image drawable path)
  (gimp-file-save RUN-NONINTERACTIVE image path))
;; a script's TIFF has no profile there unless it asks for it
(define (t-save-as image drawable path)
  (file-tiff-export #:run-mode RUN-NONINTERACTIVE #:image image #:file path
                    #:include-color-profile TRUE))
(define (t-save-layer layer path)
  (let* ((image (t-new (t-width layer) (t-height layer)
                       (if (t-gray? layer) GRAY RGB)))
         (copy (gimp-layer-new-from-drawable layer image)))
    (gimp-image-insert-layer image copy -1 0)
    (gimp-layer-set-opacity copy 100)
    (gimp-layer-set-offsets copy 0 0)
    (t-save image copy path)
    (gimp-image-delete image)))
(define (t-save-composite image path)
  (let ((copy (gimp-image-duplicate image)))
    (gimp-image-flatten copy)
    (t-save copy (t-active copy) path)
    (gimp-image-delete copy)))
(define (t-xcf image path) (gimp-file-save RUN-NONINTERACTIVE image path))
(define (t-select image x y w h)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y w h))
(define (t-selected? image) (not (gimp-selection-is-empty image)))
(define (t-images) (vector->list (gimp-get-images)))
(define (t-dirty? image) (gimp-image-is-dirty image))
(define (t-mask layer type)
  (let ((mask (gimp-layer-create-mask layer type)))
    (gimp-layer-add-mask layer mask)
    mask))
(define (t-resize-layer layer w h x y) (gimp-layer-resize layer w h x y))
(define (t-convert-precision image p) (gimp-image-convert-precision image p))
(define (t-convert-indexed image)
  (gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE
                              64 FALSE FALSE ""))
(define (t-run image d model db top-k opacity map mode threshold transfer)
  (plug-in-camlens #:run-mode RUN-NONINTERACTIVE #:image image
    #:drawables (vector d) #:model model #:database db #:top-k top-k
    #:opacity opacity #:colormap map #:layer-mode mode #:threshold threshold
    #:transfer transfer))
(define (t-run-last image d)
  (plug-in-camlens #:run-mode RUN-WITH-LAST-VALS #:image image
    #:drawables (vector d)))
(define (t-interactive image d)
  (plug-in-camlens #:run-mode RUN-INTERACTIVE #:image image
    #:drawables (vector d)))
(define (t-example image d model positive negative top-k)
  (plug-in-camlens-example #:run-mode RUN-NONINTERACTIVE #:image image
    #:drawables (vector d) #:model model #:positive positive
    #:negative negative #:top-k top-k))
(define (t-export image d what path)
  (plug-in-camlens-export #:run-mode RUN-NONINTERACTIVE #:image image
    #:drawables (vector d) #:what what #:path path))
(define (t-build folder model path clusters)
  (plug-in-camlens-build #:run-mode RUN-NONINTERACTIVE #:folder folder
    #:model model #:database path #:clusters clusters #:triplets 10))
""",
}


class GimpError(Exception):
    """What GIMP answered instead of a value."""


class Gimp:
    def __init__(self, series, plug_in, profile, env=None, screen=None,
                 files=(), dark=False, locale="C.UTF-8", accelerators=(),
                 keep=False, options=()):
        self.series = series
        self.plug_in, self.more = plug_in, env or {}
        self.profile = os.path.abspath(profile)
        self.port = free_port()
        self.screen = screen
        self.log = open(self.profile + ".log", "ab")
        self.make_profile(plug_in, dark, accelerators, keep)
        self.env = self.environment(env or {}, locale)
        self.socket = None
        self.process = subprocess.Popen(
            self.command([*options, *files]), env=self.env,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.connect()

    def make_profile(self, plug_in, dark, accelerators, keep):
        for name in PROFILE_FOLDERS + ["home", "xdg/config", "xdg/cache",
                                       "xdg/data", "xdg/run"]:
            os.makedirs(os.path.join(self.profile, name), exist_ok=True)
        os.chmod(os.path.join(self.profile, "xdg/run"), 0o700)
        # what earlier tests remembered
        for name in () if keep else ("camlens", "plug-in-settings"):
            shutil.rmtree(os.path.join(self.profile, name),
                          ignore_errors=True)
        install(plug_in, os.path.join(self.profile, "plug-ins/camlens"))
        theme = (("Dark" if dark else "System") if self.series == "2.10"
                 else ("dark" if dark else "light"))
        write_new(os.path.join(self.profile, "gimprc"),
                  GIMPRC[self.series] % (
                      theme if self.series == "2.10"
                      else (full_version_3(), theme)))
        if self.series == "2.10":
            text = "".join('(gtk_accel_path "<Actions>/plug-in/%s" "%s")\n' % a
                           for a in accelerators)
            write_new(os.path.join(self.profile, "menurc"), text)
        else:
            text = "(file-version 1)\n" + "".join(
                '(action "%s" "%s")\n' % a for a in accelerators)
            write_new(os.path.join(self.profile, "shortcutsrc"), text)

    def environment(self, more, locale):
        xdg = os.path.join(self.profile, "xdg")
        env = {k: v for k, v in os.environ.items()
               if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        env.update({
            "GIMP2_DIRECTORY": self.profile, "GIMP3_DIRECTORY": self.profile,
            "HOME": os.path.join(self.profile, "home"),
            "XDG_CONFIG_HOME": xdg + "/config",
            "XDG_CACHE_HOME": xdg + "/cache",
            "XDG_DATA_HOME": xdg + "/data",
            "XDG_RUNTIME_DIR": xdg + "/run",
            "NO_AT_BRIDGE": "1", "GTK_A11Y": "none",
            "LC_ALL": locale, "LANGUAGE": ""})
        if locale != "C.UTF-8":
            env["LOCPATH"] = make_locale(self.profile + "-locales", locale)
        if self.screen:
            env["DISPLAY"] = self.screen.name
        env.update(more)
        return env

    def command(self, files):
        version = "2.10" if self.series == "2.10" else newest_series_3()
        if self.series == "2.10":
            server = ('(plug-in-script-fu-server RUN-NONINTERACTIVE '
                      '"127.0.0.1" %d "")' % self.port)
        else:
            server = ('(plug-in-script-fu-server #:run-mode '
                      'RUN-NONINTERACTIVE #:ip "127.0.0.1" #:port %d '
                      '#:logfile "")' % self.port)
        batch = ["--batch-interpreter=plug-in-script-fu-eval", "-b", server]
        if self.screen:
            return ["dbus-run-session", "--", "gimp-" + version, "--no-splash",
                    *batch, *files]
        return ["gimp-console-" + version, "-d", "-f", "-i", *batch]

    def listening(self):
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 2)
        except OSError:
            return False
        return True

    def connect(self, seconds=90):
        wait(lambda: self.process.poll() is not None or self.listening(),
             seconds)
        if not self.socket:
            raise RuntimeError("GIMP's Script-Fu server did not come up; see "
                               + self.log.name)
        self.socket.settimeout(ANSWER)
        if self.series == "3":
            self("(script-fu-use-v3)")
        self("(begin %s 1)" % PRELUDE[self.series])

    def send(self, text):
        data = text.encode()
        self.socket.sendall(b"G" + struct.pack(">H", len(data)) + data)

    def receive(self):
        head = self.read(4)
        text = self.read(struct.unpack(">H", head[2:])[0])
        text = text.decode("utf-8", "replace")
        if head[1]:
            raise GimpError(text)
        return text

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise RuntimeError("GIMP has gone")
            data += more
        return data

    def __call__(self, text):
        """The value of an expression, as Script-Fu prints it."""
        self.send(text)
        try:
            return self.receive()
        except socket.timeout:
            raise RuntimeError("GIMP does not answer within %d s: %s" % (
                ANSWER, text)) from None

    def number(self, text):
        return float(self("(* 1 %s)" % text))

    def another(self, env):
        """A second GIMP without a display, with the same profile."""
        return Gimp(self.series, self.plug_in, self.profile, keep=True,
                    env=dict(self.more, **env))

    def batch(self, interpreter, command):
        """One command for an interpreter, in a GIMP of its own."""
        program = "gimp-console-" + ("2.10" if self.series == "2.10"
                                     else newest_series_3())
        limited([program, "-d", "-f", "-i",
                 "--batch-interpreter=" + interpreter, "-b", command,
                 "--quit"], ANSWER, env=self.env, stdin=subprocess.DEVNULL,
                stdout=self.log, stderr=self.log)

    def alive(self):
        return self.process.poll() is None

    def close(self):
        try:
            self.send("(gimp-quit 1)")
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.socket.close()
        # the script-fu server and a dbus daemon may be left in its session
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        ended(self.process)
        self.log.close()


def newest_series_3():
    for version in ("3.2", "3.0"):
        if shutil.which("gimp-console-" + version):
            return version
    raise RuntimeError("there is no GIMP 3")


def full_version_3():
    """"3.0.4": a profile of another one is welcomed with a window."""
    said = limited(["gimp-console-" + newest_series_3(), "--version"], 60,
                   stdout=subprocess.PIPE, text=True)
    return said.stdout.split()[-1]


def install(plug_in, folder):
    """The plug-in and its translations, where they differ from what is there
    (GIMP asks a changed plug-in again, which takes time)."""
    to = os.path.join(folder, "camlens")
    if not os.path.exists(to) or not same(plug_in, to):
        shutil.copy2(plug_in, to)
    catalogues = os.path.join(os.path.dirname(plug_in), "..", "po")
    for path, _, files in os.walk(catalogues):
        for name in files:
            if name == "camlens.mo":
                language = os.path.relpath(path, catalogues).split(os.sep)[0]
                target = os.path.join(folder, "locale", language,
                                      "LC_MESSAGES")
                os.makedirs(target, exist_ok=True)
                shutil.copy2(os.path.join(path, name), target)


def same(a, b):
    with open(a, "rb") as x, open(b, "rb") as y:
        return x.read() == y.read()


def write_new(path, text):
    """Only where it differs: GIMP 3 starts slowly after a fresh gimprc."""
    try:
        with open(path) as f:
            if f.read() == text:
                return
    except OSError:
        pass
    with open(path, "w") as f:
        f.write(text)


def plug_in_processes(profile):
    """Processes whose program is the plug-in in this profile."""
    want = os.path.realpath(os.path.join(profile,
                                         "plug-ins/camlens/camlens"))
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.path.realpath(os.readlink("/proc/%s/exe" % name)) == want:
                    found.append(int(name))
            except OSError:
                pass
    return found


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def read_png(path):
    """(width, height, channels, rows of bytes) of an 8-bit PNG."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG: " + path)
    at, idat = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(
                ">IIBBBBB", body)
        elif kind == b"IDAT":
            idat += body
        at += 12 + length
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    if depth != 8 or interlace:
        raise ValueError("not a plain 8-bit PNG: " + path)
    return width, height, channels, unfilter(zlib.decompress(idat), width,
                                             height, channels)


def unfilter(raw, width, height, bpp):
    stride, rows, above = width * bpp, [], bytearray(width * bpp)
    for y in range(height):
        start = y * (stride + 1)
        kind, row = raw[start], bytearray(raw[start + 1:start + 1 + stride])
        if kind == 1:
            for i in range(bpp, stride):
                row[i] = (row[i] + row[i - bpp]) & 255
        elif kind == 2:
            row = bytearray((a + b) & 255 for a, b in zip(row, above))
        elif kind == 3:
            for i in range(stride):
                left = row[i - bpp] if i >= bpp else 0
                row[i] = (row[i] + (left + above[i]) // 2) & 255
        elif kind == 4:
            for i in range(stride):
                a = row[i - bpp] if i >= bpp else 0
                b, c = above[i], above[i - bpp] if i >= bpp else 0
                p = a + b - c
                pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
                best = a if pa <= pb and pa <= pc else b if pb <= pc else c
                row[i] = (row[i] + best) & 255
        rows.append(row)
        above = row
    return rows


class Tap:
    """Test Anything Protocol: a line a check."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, detail=""):
        self.count += 1
        if not good:
            self.failed += 1
            for line in str(detail).splitlines():
                print("# " + line)
        print("%sok %d - %s" % ("" if good else "not ", self.count, name),
              flush=True)
        return good

    def equal(self, got, wanted, name):
        return self.ok(got == wanted, name,
                       "got %r, wanted %r" % (got, wanted))

    def done(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.failed else 0)
