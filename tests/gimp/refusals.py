"""refusals.py -- a GIMP that says no at the last moment, after OK: what becomes
of the image, and what is said.  refuse.c plays the GIMP that refuses."""
import os
import re
import time

from dialogs import OVERLAY
from gimp import wait


def environment(plug_in, folder):
    """GIMP runs the plug-in by a script that preloads refuse.so, and what is
    refused stands in the file refuse of the folder."""
    refuse = os.path.join(os.path.dirname(os.path.abspath(plug_in)), "..",
                          "tests", "gimp", "refuse.so")
    wrapper = os.path.join(folder, "refusing.sh")
    with open(wrapper, "w") as f:
        f.write('#!/bin/sh\nexport CAMLENS_TEST_REFUSE=$(cat "%s/refuse")\n'
                'LD_PRELOAD="%s" exec "$@"\n' % (folder, refuse))
    os.chmod(wrapper, 0o755)
    return {"GIMP_PLUGIN_DEBUG_WRAP": "camlens,run",
            "GIMP_PLUGIN_DEBUG_WRAPPER": wrapper}


class Refusals:
    """More tests, for a GIMP with that environment and --console-messages."""

    def refuse(self, call):
        with open(self.fix.path("refuse"), "w") as f:
            f.write(call)

    def said(self, press):
        """What GIMP says on the error output after @press ()."""
        log = self.gimp.log.name
        start = os.path.getsize(log)

        def text():
            with open(log, errors="replace") as f:
                f.seek(start)
                return f.read()

        press()
        wait(lambda: re.search(r"refuse|not in the image", text()), 20)
        return " ".join(text().split())

    def press_ok(self):
        self.screen.key("alt+o")
        self.screen.wait_gone(OVERLAY)

    def open_ready(self):
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        return dialog

    def state(self):
        """(layers, base type, changed)"""
        time.sleep(0.5)
        return (self.layers(), int(self.number("(t-base-type im)")),
                self.gimp("(if (t-dirty? im) 1 0)"))

    def undo_to(self, base_type):
        self.undo()
        wait(lambda: self.number("(t-base-type im)") == base_type, 5)
        return int(self.number("(t-base-type im)"))

    def refuse_converting(self, call):
        """The image becomes indexed, and shall become RGB again with OK."""
        self.gimp("(begin (t-convert-indexed im) (gimp-displays-flush) "
                  "(gimp-image-clean-all im) 1)")
        self.refuse(call)
        self.open_ready()
        self.screen.key("alt+v")
        time.sleep(1)
        return self.said(self.press_ok)

    def refusal_of_convert(self):
        said = self.refuse_converting("gimp_image_convert_rgb")
        self.ok("convert the image; the image is as it was" in said,
                "converting is refused: the message", said)
        self.equal(self.state()[:2], (1, 2), "the image is as it was")
        self.undo()  # of a step in which nothing happened
        self.equal(self.undo_to(0), 0, "Undo goes on before that")

    def refusal_of_copy(self):
        self.refusal_after_converting("gimp_layer_new_from_drawable")

    def refusal_of_insert(self):
        self.refusal_after_converting("gimp_image_insert_layer")

    def refusal_after_converting(self, call):
        said = self.refuse_converting(call)
        self.ok("Edit > Undo takes that back" in said,
                call + " is refused after converting: the message", said)
        self.equal(self.state()[:2], (1, 0), "the image is RGB")
        self.equal(self.undo_to(2), 2, "one undo takes that back")
        self.equal(self.undo_to(0), 0, "and the next what was done before")

    def refusal_without_converting(self):
        self.gimp("(begin (gimp-image-clean-all im) 1)")
        self.refuse("gimp_image_insert_layer")
        self.open_ready()
        said = self.said(self.press_ok)
        self.ok("add a layer to this image; the image is as it was" in said,
                "no layer is allowed in an RGB image: the message", said)
        self.equal(self.state(), (1, 0, "0"), "it is as it was, and unchanged")

    def layer_gone(self):
        """The person deletes the layer while its dialog is up."""
        self.refuse("")
        self.gimp("(begin (define second (t-layer-new im 90 90 RGBA-IMAGE "
                  '"second")) (t-insert im second 0 0) '
                  "(gimp-displays-flush) 1)")
        self.open_ready()
        self.gimp("(begin (gimp-image-remove-layer im second) "
                  "(gimp-displays-flush) (gimp-image-clean-all im) 1)")
        said = self.said(self.press_ok)
        self.ok("not in the image any more" in said,
                "the layer is deleted meanwhile: the message", said)
        self.equal(self.state(), (1, 0, "0"), "the image is as it was")

    def all_refusals(self):
        for name in ("of_insert", "of_convert", "of_copy",
                     "without_converting"):
            self.attempt(name, getattr(self, "refusal_" + name))
        self.attempt("layer_gone", self.layer_gone)
