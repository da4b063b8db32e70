#!/usr/bin/env bash
# From a fresh clone to a first picture. The last line, the only one on stdout, is the picture's path.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

{
  scripts/setup.sh
  cmake --preset release --log-level=WARNING
  cmake --build --preset release --target lapis lapis_engine
  build/release/lapis generate "a serene lakeside at sunset" -o lakeside.png --seed 7 --overwrite
} >&2
printf '%s\n' "$PWD/lakeside.png"
