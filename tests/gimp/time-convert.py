"""time-convert.py SERIES PLUG-IN CAMLENS OBJECTS WORK [RUNS] -- how long OK takes
in a 12-megapixel picture that is converted to RGB in the same step, after a
rehearsal in a copy; beside it the conversion alone.  A benchmark, not a test."""
import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from dialogs import OVERLAY, Dialogs
from fixtures import Fixtures
from screen import wait

CONVERT = {"gray": "(gimp-image-convert-grayscale im)",
           "indexed": "(t-convert-indexed im)"}


def layer_to_gimp(dialogs):
    """OK with the image converted; what the plug-in says it took, in ms."""
    log = dialogs.gimp.log.name
    start = os.path.getsize(log)
    dialogs.ready(dialogs.open("ctrl+alt+l", OVERLAY))
    dialogs.screen.key("alt+v")
    time.sleep(1)
    dialogs.screen.key("alt+o")

    def said():
        with open(log, errors="replace") as f:
            f.seek(start)
            return re.search(r"layer to GIMP ([\d.]+) ms", f.read())

    found = wait(said, 60)
    if not found:
        raise RuntimeError("no layer after OK")
    return float(found.group(1))


def main():
    series, plug_in, camlens, objects, work = sys.argv[1:6]
    runs = int(sys.argv[6]) if len(sys.argv) > 6 else 5
    fixtures = Fixtures(os.path.join(work, "files"), camlens, objects)
    dialogs = Dialogs(series, plug_in, os.path.join(work, "profile"),
                      fixtures.photo, env={"CAMLENS_TIMING": "1",
                                           "CAMLENS_MODEL_PATH":
                                           fixtures.models})
    took = {}
    dialogs.gimp("(begin (gimp-image-scale im 4000 3000) "
                 "(gimp-displays-flush) 1)")
    for kind, convert in CONVERT.items():
        for _ in range(runs + 1):
            dialogs.gimp("(begin %s (gimp-displays-flush) 1)" % convert)
            took.setdefault(kind + ": layer to GIMP", []).append(
                layer_to_gimp(dialogs))
            dialogs.gimp("(begin (gimp-image-remove-layer im (car (t-layers "
                         "im))) %s 1)" % convert)
            start = time.time()
            dialogs.gimp("(begin (gimp-image-convert-rgb im) 1)")
            took.setdefault(kind + ": GIMP converts", []).append(
                1000 * (time.time() - start))
    dialogs.close()
    for name, values in took.items():
        values = values[1:]  # the first one warms up
        print("%-24s median %7.1f ms, least %7.1f ms" % (
            name, statistics.median(values), min(values)))


main()
