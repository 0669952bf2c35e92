#!/bin/sh
# make.sh IMAGENET OUT: the bundled model and its database, from the beginning
#
# IMAGENET are the starting weights (see ../common/mobilenet.py).  OUT gets
# composites, weights and, in OUT/objects, what models/objects holds.  Stages
# that are done are not done again; remove OUT to begin anew.
#
# Environment: CAMLENS   the program ("camlens")
#              SHARE     of the trained weights in the average with the start
#              LAYER     target layer
#              ZERO_SHOT folders LABEL/PICTURE that Recall@1 is measured on too
#              TRAIN     options of train.py (none: as the bundled model;
#                        --any-start for other starting weights)
#              VIEWS, TRAIN_VIEWS  composites of each object, held out (8) and
#                        in the database (12)
set -eu

imagenet=$1 out=$2
here=$(dirname "$(readlink -f "$0")")
camlens=${CAMLENS:-camlens}
share=${SHARE:-0.5} layer=${LAYER:-block_16_expand_relu}
composites=$out/composites objects=$out/objects

say () { printf '\n== %s\n' "$1"; }
export_model () # SHARE WEIGHTS FOLDER
{
  /usr/bin/python3 "$here/export.py" --imagenet "$imagenet" --trained \
    "$out/weights.pt" --share "$1" --weights "$2" --layer "$layer" --out "$3"
}
recall () # retrieval.py's options
{
  /usr/bin/python3 "$here/retrieval.py" --camlens "$camlens" "$@"
}

mkdir -p "$out"
say "train"
test -e "$out/trained" || /usr/bin/python3 "$here/train.py" \
  --imagenet "$imagenet" --out "$out/weights.pt" ${TRAIN:-}
touch "$out/trained"

say "write composites"
test -e "$out/written" || /usr/bin/python3 "$here/write-composites.py" \
  --out "$composites" --views "${VIEWS:-8}" \
  --train-views "${TRAIN_VIEWS:-12}"
touch "$out/written"

say "choose: how much of the trained weights (0: the ImageNet start)"
for s in 0 0.25 0.5 0.75 1; do
  export_model "$s" float32 "$out/share-$s"
done
recall --models "$out"/share-*/model.onnx -- "$composites/choose"
test -z "${ZERO_SHOT:-}" ||
  recall --half even --models "$out"/share-*/model.onnx -- $ZERO_SHOT

say "export share $share, and what rounding its weights costs"
for w in float32 int8 float16; do
  export_model "$share" "$w" "$out/$w"
done
recall --reference "$out/float32/model.onnx" --models \
  "$out/float32/model.onnx" "$out/float16/model.onnx" "$out/int8/model.onnx" \
  -- "$composites/choose"
mkdir -p "$objects"
cp "$out/float16/model.onnx" "$out/float16/model.ini" "$objects"

say "choose: the target layer and the score, on objects not reported"
"$camlens" evaluate -m "$objects/model.onnx" --images "$composites/choose" \
  --masks "$composites/choose-masks" --sweep

say "build the database, at $layer"
"$camlens" build -q -m "$objects/model.onnx" -o "$objects/objects.camdb" \
  --compact --no-thumbnails --layer "$layer" --seed 1 --restart "$composites/train"

say "report: Recall@1, then the explanations"
for part in "--models" "--half odd --models"; do
  recall $part "$out/share-0/model.onnx" "$objects/model.onnx" -- \
    "$composites/report" ${ZERO_SHOT:-}
done
"$camlens" evaluate -m "$objects/model.onnx" -d "$objects/objects.camdb" \
  --images "$composites/report" --masks "$composites/report-masks" \
  --train "$composites/train" --report "$out/report"
ls -l "$objects"
