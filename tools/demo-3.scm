; demo-3.scm -- what tools/demo.scm does, in the words of GIMP 3

(script-fu-use-v3)

(define (open-picture name)
  (gimp-file-load RUN-NONINTERACTIVE name))

(define (explain image)
  (car (plug-in-camlens #:run-mode RUN-NONINTERACTIVE #:image image
                        #:drawables (gimp-image-get-selected-drawables image))))

(define (parasite layer name)
  (caddr (gimp-item-get-parasite layer name)))

(define (save image name)
  (gimp-file-save RUN-NONINTERACTIVE image name))

(define (save-xcf image layer name)
  (save image name))

; a copy of the image with nothing but the overlay, at full opacity
(define (save-overlay image layer name)
  (let* ((copy (gimp-image-duplicate image))
         (layers (vector->list (gimp-image-get-layers copy))))
    (gimp-layer-set-opacity (car layers) 100)
    (for-each (lambda (other) (gimp-image-remove-layer copy other))
              (cdr layers))
    (save copy name)
    (gimp-image-delete copy)))

(define (save-flat image name)
  (gimp-image-flatten image)
  (save image name))
