; demo-2.10.scm -- one picture through CamLens, for GIMP 2.10's batch mode
;
; CAMLENS_DEMO_IN, _OUT (without an ending) and _STATUS come from tools/demo.
; GIMP 2.10 ends with status 0 whatever happens, so the status file says what
; is being done, in the words that hold if it fails, and at last how it went.

(define status (getenv "CAMLENS_DEMO_STATUS"))

(define (say text)
  (let ((port (open-output-file status)))
    (display text port)
    (close-output-port port)))

(define (demo in out)
  (say "GIMP cannot open it as a picture")
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in in)))
         (drawable (car (gimp-image-get-active-drawable image)))
         (going (say "the plug-in failed"))
         (found (plug-in-camlens RUN-NONINTERACTIVE image drawable
                                 "" "" 50 60 0 0 0 0))
         (layer (car found))
         (name (car (gimp-item-get-name layer)))
         (overlay (string-append out "-overlay.png"))
         (composite (string-append out "-composite.png"))
         (xcf (string-append out ".xcf")))
    (say (string-append "GIMP cannot save " xcf ", or what belongs to it"))
    (gimp-xcf-save RUN-NONINTERACTIVE image layer xcf xcf)
    (file-png-save-defaults RUN-NONINTERACTIVE image layer overlay overlay)
    (let ((flat (car (gimp-image-flatten image))))
      (file-png-save-defaults RUN-NONINTERACTIVE image flat
                              composite composite))
    (gimp-image-delete image)
    (say (string-append "OK " name ", similarity "
                        (number->string
                         (/ (round (* 100 (caddr found))) 100))))))

(demo (getenv "CAMLENS_DEMO_IN") (getenv "CAMLENS_DEMO_OUT"))
