"""files.py -- tests of what is written where it cannot be, and of files whose
names are not UTF-8, without a display"""
import os
import re
import shutil
import struct

from gimp import GimpError, read_png
from headless import Case, quote

KINDS = ("overlay", "composite", "heat-map", "array", "provenance")


def npy_floats(path):
    with open(path, "rb") as f:
        data = f.read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack("<%df" % ((len(data) - start) // 4), data[start:])


def tiff_floats(path):
    """Of a TIFF in little-endian 32-bit floats, not compressed."""
    with open(path, "rb") as f:
        data = f.read()
    at = struct.unpack("<4sI", data[:8])[1]
    tags, count = {}, struct.unpack("<H", data[at:at + 2])[0]
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, n, value = struct.unpack("<HHII", data[entry:entry + 12])
        letter = {3: "H", 4: "I"}.get(kind)
        if letter:
            where = (entry + 8 if n * struct.calcsize(letter) <= 4 else value)
            tags[tag] = struct.unpack_from("<%d%s" % (n, letter), data, where)
    if (tags[258], tags[259], tags[339]) != ((32,), (1,), (3,)):
        raise ValueError("other numbers than floats: %r" % tags)
    strips = b"".join(data[offset:offset + size]
                      for offset, size in zip(tags[273], tags[279]))
    return struct.unpack("<%df" % (len(strips) // 4), strips)


class Files:
    def error(self, gimp, text):
        try:
            gimp(text)
            return "it was not refused"
        except GimpError as error:
            return str(error)

    # ---- no room ----

    def little_room(self):
        """Another GIMP, whose plug-in can write so many bytes a file as the
        file little-room says: what comes after them is refused, as a full disk
        does."""
        wrapper = self.out("little-room.sh")
        with open(wrapper, "w") as f:
            f.write('#!/bin/sh\ntrap "" XFSZ\n'
                    'exec prlimit --fsize=$(cat "%s") "$@"\n'
                    % self.out("little-room"))
        os.chmod(wrapper, 0o755)
        return self.gimp.another({"GIMP_PLUGIN_DEBUG_WRAP": "camlens,run",
                                  "GIMP_PLUGIN_DEBUG_WRAPPER": wrapper})

    def test_export_without_room(self):
        """Whatever is cut short, before its last byte or after its first."""
        folder = self.out("room")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        case = self.photo()
        case.run()
        self.gimp("(begin (t-xcf im %s) 1)" % quote(self.out("room.xcf")))
        size = {}
        for what in KINDS:
            path = os.path.join(folder, what)
            self.gimp("(begin (t-export im new %s %s) 1)" % (quote(what),
                                                             quote(path)))
            size[what] = os.path.getsize(path)
            with open(path, "w") as f:
                f.write("what was there")
        case.close()
        gimp = self.little_room()
        case = Case(gimp, "(t-load %s)" % quote(self.out("room.xcf")))
        for what in KINDS:
            for room in (0, size[what] // 2, size[what] - 1):
                self.refuses_room(gimp, folder, what, room)
        case.close()
        gimp.close()
        self.equal(sorted(os.listdir(folder)), sorted(KINDS),
                   "no room: nothing is left behind")

    def refuses_room(self, gimp, folder, what, room):
        with open(self.out("little-room"), "w") as f:
            f.write(str(room))
        path = os.path.join(folder, what)
        said = self.error(gimp, "(t-export im (car (t-layers im)) %s %s)"
                          % (quote(what), quote(path)))
        name = "no room for %s after %d bytes" % (what, room)
        self.ok("/room/%s' could not be written" % what in said, name, said)
        with open(path, "rb") as f:
            self.ok(f.read() == b"what was there", name
                    + ": the file is as it was", "it was replaced")

    # ---- names ----

    def test_names_not_utf8(self):
        """A folder of models whose name is Latin-1, as old disks have them."""
        odd = self.out(os.fsdecode(b"mod\xe8les"))
        link, picture = self.out("models-link"), self.out("odd-link.png")
        shutil.rmtree(odd, ignore_errors=True)
        shutil.copytree(os.path.join(self.fix.models, "objects"),
                        os.path.join(odd, "objects"))
        os.rename(os.path.join(odd, "objects", "shapes.camdb"),
                  os.path.join(odd, "objects", os.fsdecode(b"\xe9.camdb")))
        os.makedirs(os.path.join(odd, "broken"))
        shutil.copy(self.fix.path("broken.onnx"),
                    os.path.join(odd, "broken", "model.onnx"))
        for path, to in ((link, odd), (picture, os.path.join(
                odd, os.fsdecode(b"\xe0 c\xf4t\xe9.png")))):
            if os.path.lexists(path):
                os.remove(path)
            os.symlink(os.path.abspath(to), path)
        gimp = self.gimp.another({"CAMLENS_MODEL_PATH": odd})
        case = Case(gimp, "(t-load %s)" % quote(self.fix.photo))
        case.run()
        self.equal(case.count(), 2, "names not in UTF-8: model and database")
        said = self.error(gimp, '(t-run im layer "broken" "" 50 60 "turbo" '
                                '"normal" 0 "cluster")')
        self.ok(re.search("mod\ufffdles/broken/model.onnx.*ONNX", said),
                "names not in UTF-8: the message is whole", said)
        gimp('(begin (t-export im new "overlay" %s) 1)' % quote(picture))
        self.ok(os.path.islink(picture) and read_png(picture)[0] == 320,
                "names not in UTF-8: an export, where a link points")
        case.close()
        gimp.close()
