"""kinds.py -- tests of layers of unusual kinds, without a display: each gives
the overlay that the program camlens gives for the same pixels, or an error that
says what to do, and the image is as it was"""
from gimp import Gimp, GimpError, read_png
from headless import difference, quote

# in a group, with an item above and the photograph's layer in it
GROUP = """(define group (t-group im)) (t-insert im group 0 0)
(gimp-image-reorder-item im layer group 0)"""

TEXT = {
    "2.10": """(car (gimp-text-fontname im -1 20 30 "Was sieht\ndas Netz?" 0
                     TRUE 60 PIXELS "Sans"))""",
    "3": """(gimp-text-font im -1 20 30 "Was sieht\ndas Netz?" 0 TRUE 60
              (gimp-context-get-font))""",
}

# what becomes of the photograph's layer, whose pixels stay the same
KINDS = (
    ("beyond the canvas", "(gimp-layer-set-offsets layer 5000 -3000)"),
    ("locked, in a locked group", GROUP + """
       (gimp-item-set-lock-content layer TRUE)
       (gimp-item-set-lock-position layer TRUE)
       (gimp-layer-set-lock-alpha layer TRUE)
       (gimp-item-set-lock-content group TRUE)"""),
    ("in a pass-through group", GROUP + """
       (gimp-layer-set-mode group LAYER-MODE-PASS-THROUGH)"""),
    ("hidden, thin and in another mode", """
       (gimp-item-set-visible layer FALSE) (gimp-layer-set-opacity layer 3)
       (gimp-layer-set-mode layer LAYER-MODE-LCH-HUE)"""),
    ("of an image without undo", "(gimp-image-undo-disable im)"),
)

MANY = {
    "": "(plug-in-camlens #:run-mode RUN-NONINTERACTIVE #:image im "
        "#:drawables %s)",
    "example": "(plug-in-camlens-example #:run-mode RUN-NONINTERACTIVE "
               "#:image im #:drawables %s #:positive \"x.png\")",
    "export": "(plug-in-camlens-export #:run-mode RUN-NONINTERACTIVE "
              "#:image im #:drawables %s #:path \"/nowhere/x.png\")",
}


class WithFonts(Gimp):
    """The others start without, which takes less time."""

    def command(self, files):
        return [word for word in super().command(files) if word != "-f"]


class Kinds:
    def like(self, case, wanted, name, layer="layer"):
        """Of @layer there is the overlay @wanted, directly above it."""
        before = self.place_of(layer)
        case.run(layer=layer)
        self.gimp('(begin (t-export im new "overlay" %s) 1)'
                  % quote(self.out()))
        self.close_to(self.out(), wanted, 1, name + ": pixels")
        self.equal(self.place_of("new"), before, name + ": place")

    def place_of(self, layer):
        """One above the layer afterwards is where the layer was."""
        return self.gimp("(list (t-offsets %s) (t-parent %s) (t-position im "
                         "%s))" % (layer, layer, layer))

    def by_program(self, layer, gimp=None):
        """The overlay that the program gives for the pixels of @layer."""
        pixels = self.out("kind.png")
        (gimp or self.gimp)("(begin (t-save-layer %s %s) 1)"
                            % (layer, quote(pixels)))
        return self.fix.explain(pixels, "-d", self.fix.database)[0]

    def said(self, text):
        try:
            self.gimp("(begin %s 1)" % text)
            return "it was not refused"
        except GimpError as error:
            return str(error)

    def test_kinds(self):
        wanted, _, _ = self.fix.explain(self.fix.photo, "-d",
                                        self.fix.database)
        for name, what in KINDS:
            case = self.photo()
            self.gimp("(begin %s 1)" % what)
            self.like(case, wanted, "a layer " + name)
            case.close()

    def test_kinds_of_pixels(self):
        case = self.photo()
        self.gimp("""(begin
          (define one (t-layer-new im 1 1 RGBA-IMAGE "one"))
          (t-insert im one 0 0) (gimp-drawable-fill one FILL-WHITE)
          (gimp-layer-set-offsets one 7 9)
          (define clear (t-layer-new im 40 30 RGBA-IMAGE "clear"))
          (t-insert im clear 0 0)
          (define group (t-group im)) (t-insert im group 0 0)
          (gimp-layer-set-mode group LAYER-MODE-PASS-THROUGH)
          (gimp-image-reorder-item im layer group 0) 1)""")
        for name, layer in (("one pixel", "one"), ("nothing but clear pixels",
                                                   "clear"),
                            ("a pass-through group", "group")):
            self.like(case, self.by_program(layer), name, layer)
        case.close()

    def test_text(self):
        others = self.gimp
        self.gimp = WithFonts(others.series, others.plug_in, others.profile,
                              keep=True, env=others.more)
        try:
            case = self.photo()
            self.gimp("(begin (define text %s) 1)" % TEXT[self.gimp.series])
            self.like(case, self.by_program("text"), "a text layer", "text")
            self.equal(self.gimp("(if %s 1 0)" % (
                "(= TRUE (car (gimp-item-is-text-layer text)))"
                if self.gimp.series == "2.10"
                else "(gimp-item-id-is-text-layer text)")), "1",
                       "which is text still")
            case.close()
        finally:
            self.gimp.close()
            self.gimp = others

    def test_several_layers(self):
        if self.gimp.series == "2.10":
            self.ok(True, "several layers # SKIP GIMP 2.10 has one at a time")
            return
        case = self.photo()
        self.gimp("(begin (define other (t-layer-new im 9 9 RGBA-IMAGE \"o\")) "
                  "(t-insert im other 0 0) (gimp-image-clean-all im) 1)")
        for name, call in MANY.items():
            for many in ("(vector layer other)", "(vector)"):
                said = self.said(call % many)
                self.ok("Choose one layer" in said, "%s of %s" % (name, many),
                        said)
        self.untouched(case, 2, "several layers")
        case.close()

    def test_no_layers(self):
        """A channel, and the mask of an overlay."""
        case = self.photo()
        case.run()
        self.gimp('(begin (t-export im new "overlay" %s) 1)'
                  % quote(self.out()))
        self.gimp("(begin (t-select im 10 10 50 50) (define channel %s) "
                  "(gimp-selection-none im) (define mask (t-mask new 1)) "
                  "(gimp-image-clean-all im) 1)" % (
                      "(car (gimp-selection-save im))"
                      if self.gimp.series == "2.10"
                      else "(gimp-selection-save im)"))
        for call, words in (
                ('(t-example im channel "" %s "" 50)'
                 % quote(self.fix.positive), "choose a layer"),
                ('(t-export im channel "overlay" "/nowhere/x.png")',
                 "not an overlay")):
            said = self.said(call)
            self.ok(words in said, "a channel: " + words, said)
        self.untouched(case, 2, "a channel")
        self.gimp('(begin (t-export im mask "overlay" %s) 1)'
                  % quote(self.out("of-mask.png")))
        self.equal(difference(self.out("of-mask.png"), self.out()), 0,
                   "the mask of an overlay: its layer is exported")
        case.close()

    def test_nothing_visible(self):
        """What shows is clear, in an export and in an example."""
        case = self.photo()
        case.run()
        self.gimp("(begin (gimp-item-set-visible layer FALSE) "
                  "(gimp-item-set-visible new FALSE) "
                  "(t-xcf im %s) (gimp-image-clean-all im) "
                  "(t-export im new \"composite\" %s) 1)" % (
                      quote(self.out("hidden.xcf")),
                      quote(self.out("hidden.png"))))
        self.untouched(case, 2, "an export where nothing is visible")
        self.fix.run("explain", "-m", "objects", "--overlay",
                     self.out("cli-hidden.png"), "--positive",
                     self.out("hidden.png"), self.fix.photo)
        self.gimp('(begin (define r (t-example im layer "" %s "" 50)) '
                  "(define new (car r)) 1)" % quote(self.out("hidden.xcf")))
        case.save(self.out())
        self.close_to(self.out(), self.out("cli-hidden.png"), 1,
                      "an example of which nothing is visible: pixels")
        case.close()
        width, height, channels, rows = read_png(self.out("hidden.png"))
        self.equal((width, height, channels,
                    {max(row[3::4]) for row in rows}), (320, 200, 4, {0}),
                   "where nothing is visible, the composite is clear")
