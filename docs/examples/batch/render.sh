#!/usr/bin/env bash
# Was: while read -r prompt; do lapis generate "$prompt" -o "out/$((i++)).png"; done < prompts.txt
# That loads the model once for each line; this loads it once, and goes on where it was stopped.
set -euo pipefail
lapis batch --prompts prompts.txt -o "out/{line:03}-{prompt}.png" "$@"
