; demo-3.scm -- one picture through CamLens, for GIMP 3's batch mode
;
; CAMLENS_DEMO_IN, _OUT (without an ending) and _STATUS come from tools/demo.
; The outcome is written to the status file last of all, when everything is
; saved: the plug-ins' own words mix in on standard output.

(script-fu-use-v3)

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

(define (demo in out status)
  (let* ((image (gimp-file-load RUN-NONINTERACTIVE in))
         (drawables (gimp-image-get-selected-drawables image))
         (found (plug-in-camlens #:run-mode RUN-NONINTERACTIVE
                                 #:image image #:drawables drawables))
         (layer (car found))
         (name (gimp-item-get-name layer)))
    (save image (string-append out ".xcf"))
    (save-overlay image (string-append out "-overlay.png"))
    (gimp-image-flatten image)
    (save image (string-append out "-composite.png"))
    (gimp-image-delete image)
    (let ((port (open-output-file status)))
      (display (string-append "OK " name ", similarity "
                              (number->string (/ (round (* 100 (caddr found))) 100)))
               port)
      (close-output-port port))))

(demo (getenv "CAMLENS_DEMO_IN") (getenv "CAMLENS_DEMO_OUT")
      (getenv "CAMLENS_DEMO_STATUS"))
