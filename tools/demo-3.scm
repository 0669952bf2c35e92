; demo-3.scm -- one picture through CamLens, for GIMP 3's batch mode
;
; CAMLENS_DEMO_IN, _OUT (without an ending) and _STATUS come from tools/demo.
; The status file says what is being done, in the words that hold if it fails,
; and at last how it went: the plug-ins' own words mix in on standard output.

(script-fu-use-v3)

(define status (getenv "CAMLENS_DEMO_STATUS"))

(define (say text)
  (let ((port (open-output-file status)))
    (display text port)
    (close-output-port port)))

(define (save image name)
  (gimp-file-save RUN-NONINTERACTIVE image name))

; a copy of the image with nothing but the overlay, at full opacity
(define (save-overlay image name)
  (let* ((copy (gimp-image-duplicate image))
         (layers (gimp-image-get-layers copy))
         (overlay (vector-ref layers 0)))
    (gimp-layer-set-opacity overlay 100)
    (for-each (lambda (layer) (gimp-image-remove-layer copy layer))
              (cdr (vector->list layers)))
    (save copy name)
    (gimp-image-delete copy)))

(define (demo in out)
  (say "GIMP cannot open it as a picture")
  (let* ((image (gimp-file-load RUN-NONINTERACTIVE in))
         (drawables (gimp-image-get-selected-drawables image))
         (going (say "the plug-in failed"))
         (found (plug-in-camlens #:run-mode RUN-NONINTERACTIVE
                                 #:image image #:drawables drawables))
         (layer (car found))
         (name (gimp-item-get-name layer)))
    (say (string-append "GIMP cannot save " out ".xcf, or what belongs to it"))
    (save image (string-append out ".xcf"))
    (save-overlay image (string-append out "-overlay.png"))
    (gimp-image-flatten image)
    (save image (string-append out "-composite.png"))
    (gimp-image-delete image)
    (say (string-append "OK " name ", similarity "
                        (number->string
                         (/ (round (* 100 (caddr found))) 100))))))

(demo (getenv "CAMLENS_DEMO_IN") (getenv "CAMLENS_DEMO_OUT"))
