; demo.scm -- one picture through CamLens, in GIMP's batch mode
;
; CAMLENS_DEMO_IN, _OUT (without an ending) and _STATUS come from tools/demo,
; which loads demo-2.10.scm or demo-3.scm before: there is what the two GIMPs
; say differently.  GIMP 2.10 ends with status 0 whatever happens, and plug-ins
; write to standard output.  So the status file says what is being done, in the
; words that hold if it fails, and at last OK and where the overlay comes from.

(define status (getenv "CAMLENS_DEMO_STATUS"))

(define (say text)
  (let ((port (open-output-file status)))
    (display text port)
    (close-output-port port)))

(define (demo in out)
  (say "GIMP cannot open it as a picture")
  (let* ((image (open-picture in))
         (going (say "the plug-in failed"))
         (layer (explain image)))
    (say (string-append "GIMP cannot save " out ".xcf, or what belongs to it"))
    (save-xcf image layer (string-append out ".xcf"))
    (save-overlay image layer (string-append out "-overlay.png"))
    (let ((provenance (parasite layer "camlens-provenance")))
      (save-flat image (string-append out "-composite.png"))
      (gimp-image-delete image)
      (say (string-append "OK\n" provenance)))))

(demo (getenv "CAMLENS_DEMO_IN") (getenv "CAMLENS_DEMO_OUT"))
