#!/bin/sh
# Builds aigen-tiny.gguf from nothing: corpus, tokenizer, training, export, check, measurement. Runs on a CPU or one GPU.
#   PROCESSES=4 STEPS=4000 ./build.sh
set -eu
cd "$(dirname "$0")"
STEPS=${STEPS:-2900}
PROCESSES=${PROCESSES:-2}
EXAMPLES=${EXAMPLES:-50000}

[ -d build/venv ] || python3 -m venv build/venv
. build/venv/bin/activate
pip install -q -r requirements.txt

[ -f tokenizer.json ] || python build_tokenizer.py
python corpus.py write --out build/data --examples "$EXAMPLES"
python train.py --data build/data --out build/checkpoint.pt --steps "$STEPS" --processes "$PROCESSES"
python export.py --checkpoint build/checkpoint.pt --out aigen-tiny.gguf
python check_export.py --checkpoint build/checkpoint.pt --model aigen-tiny.gguf
python evaluate.py --model aigen-tiny.gguf
