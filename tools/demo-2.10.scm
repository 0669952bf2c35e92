; demo-2.10.scm -- what tools/demo.scm does, in the words of GIMP 2.10

(define (open-picture name)
  (car (gimp-file-load RUN-NONINTERACTIVE name name)))

(define (explain image)
  (car (plug-in-camlens RUN-NONINTERACTIVE image
                        (car (gimp-image-get-active-drawable image))
                        "" "" 50 60 0 0 0 0)))

(define (parasite layer name)
  (caddr (car (gimp-item-get-parasite layer name))))

(define (save-xcf image layer name)
  (gimp-xcf-save RUN-NONINTERACTIVE image layer name name))

(define (save-overlay image layer name)
  (file-png-save-defaults RUN-NONINTERACTIVE image layer name name))

(define (save-flat image name)
  (save-overlay image (car (gimp-image-flatten image)) name))
