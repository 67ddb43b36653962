#!/usr/bin/env bash
# Train every recipe that waits for a GPU, side by side, within so many seconds:
#   train/gpu.sh SECONDS DATA OUT [RECIPE[@WEIGHTS] ...]
# DATA has a folder for each set (mnist, celeba, photos_open). OUT/RECIPE.tar, at most 16 MiB, has
# what the run has saved; where it is there, the run goes on. STEPS=10 rehearses, on any device.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1 data=$2 out=$3
shift 3
[ $# -gt 0 ] || set -- stages/convcnp-photo-139000@convcnp-photo flownp-celeba@flownp-celeba \
  anp-celeba@anp-celeba anp-mnist@anp-mnist
mkdir -p "$out"
running=()
for recipe in "$@"; do
  name=$(basename "${recipe%%@*}" .toml)
  python3 -m tools.gpu "$recipe" --data "$data" --out "$out" --seconds "$seconds" \
    ${STEPS:+--steps "$STEPS"} 2>&1 | sed "s/^/$name: /" &
  running+=($!)
done
failed=0
for one in "${running[@]}"; do wait "$one" || failed=1; done
exit "$failed"
