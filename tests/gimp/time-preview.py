"""time-preview.py SERIES PLUG-IN CAMLENS OBJECTS WORK [MOVES] -- how long the
preview of the overlay dialog takes at each move of a control: from the move to
the picture's hand-over to GTK.  A benchmark, not a test."""
import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from dialogs import OVERLAY, Dialogs
from fixtures import Fixtures

CONTROLS = (("opacity", "a", "Down"), ("top-k", "k", "Down"),
            ("threshold", "t", "Up"))


def main():
    series, plug_in, camlens, objects, work = sys.argv[1:6]
    moves = int(sys.argv[6]) if len(sys.argv) > 6 else 40
    fixtures = Fixtures(os.path.join(work, "files"), camlens, objects)
    d = Dialogs(series, plug_in, os.path.join(work, "profile"),
                fixtures.photo, env={"CAMLENS_MODEL_PATH": fixtures.models,
                                     "CAMLENS_TIMING": "1"})
    try:
        d.ready(d.open("ctrl+alt+l", OVERLAY))
        for name, key, arrow in CONTROLS:
            d.screen.key("alt+" + key)
            time.sleep(0.5)
            start = os.path.getsize(d.gimp.log.name)
            d.screen.key(*[arrow] * moves)
            time.sleep(1)
            with open(d.gimp.log.name, errors="replace") as f:
                f.seek(start)
                took = [float(ms) for ms in re.findall(
                    r"camlens-timing: preview ([\d.]+) ms", f.read())]
            print("%-10s %3d pictures: median %5.1f ms, most %5.1f ms" % (
                name, len(took), statistics.median(took), max(took)),
                flush=True)
        d.screen.key("Escape")
    finally:
        d.close()


main()
