#!/usr/bin/env bash
# PARTS processes with one thread each; parallel tells each its number, and we tell how many there are.
set -euo pipefail
export PARALLEL_TOTAL=${PARTS:-2}
seq "$PARALLEL_TOTAL" | parallel -n0 -j "$PARALLEL_TOTAL" lapis batch jobs.jsonl -o out/ --shard auto -t 1 "$@"
lapis batch --merge out
