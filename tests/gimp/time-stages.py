"""time-stages.py SERIES PLUG-IN CAMLENS OBJECTS WORK [RUNS] -- how long each
stage of the overlay takes on a 12-megapixel picture, beside the time that GIMP
itself takes to copy a layer of that size.  A benchmark, not a test."""
import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixtures import Fixtures
from gimp import Gimp

STAGES = ("start", "model load", "pixels from GIMP", "forward", "map",
          "layer to GIMP")


def main():
    series, plug_in, camlens, objects, work = sys.argv[1:6]
    runs = int(sys.argv[6]) if len(sys.argv) > 6 else 5
    fixtures = Fixtures(os.path.join(work, "files"), camlens, objects)
    gimp = Gimp(series, plug_in, os.path.join(work, "profile"),
                env={"CAMLENS_MODEL_PATH": fixtures.models,
                     "CAMLENS_TIMING": "1"})
    log = gimp.log.name
    took = {stage: [] for stage in STAGES + ("whole call", "duplicate layer")}
    gimp('(begin (define im (t-load "%s")) (gimp-image-scale im 4000 3000) '
         "(define layer (t-active im)) 1)" % fixtures.photo)
    for _ in range(runs + 1):
        start = os.path.getsize(log)
        t = time.time()
        gimp('(begin (define r (t-run im layer "" "" 50 60 "turbo" "normal" 0 '
             '"cluster")) 1)')
        took["whole call"].append(1000 * (time.time() - t))
        gimp("(begin (gimp-image-remove-layer im (car r)) 1)")
        t = time.time()
        gimp("(begin (define copy %s) (t-insert im copy 0 0) 1)" % (
            "(car (gimp-layer-copy layer TRUE))" if series == "2.10"
            else "(gimp-layer-copy layer)"))
        took["duplicate layer"].append(1000 * (time.time() - t))
        gimp("(begin (gimp-image-remove-layer im copy) 1)")
        with open(log, errors="replace") as f:
            f.seek(start)
            text = f.read()
        for name, ms in re.findall(r"camlens-timing: ([\w ]+?) ([\d.]+) ms",
                                   text):
            if name in took:
                took[name].append(float(ms))
    gimp.close()
    for name, values in took.items():
        values = values[1:]  # the first one warms up
        if values:
            print("%-18s median %7.1f ms, least %7.1f ms" % (
                name, statistics.median(values), min(values)))


main()
