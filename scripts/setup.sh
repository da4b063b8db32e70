#!/usr/bin/env bash
# Everything a build needs: Debian's packages and libtorch in .deps/. Says nothing when all of it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's own Python: it is there, or one of the packages, whatever else comes first on PATH.
readonly python=/usr/bin/python3
readonly packages=(g++ cmake ninja-build libcli11-dev nlohmann-json3-dev catch2 libstb-dev libjpeg62-turbo-dev libpng-dev
  zlib1g-dev libicu-dev libssl-dev libsentencepiece-dev libfmt-dev python3 strace)
# What only .ci/run needs: a compiler with the sanitizers and libFuzzer, names for what they find, and the tools of others:
# pkg-config, environments of Python, and what holds XML against a schema.
readonly check_packages=(clang clang-format clang-tidy libclang-rt-dev llvm
  pkg-config python3-venv libxml2-utils)

usage() {
  cat <<'TEXT'
usage: scripts/setup.sh [--cuda] [--checks] [--wheels DIR] [--keep-wheels DIR]
  --checks           also bring what .ci/run needs: clang with its sanitizers, Python's venv
  --cuda             also bring what --device cuda needs: 2.5 GB to fetch, 3 GB on disk
  --wheels DIR       take the wheels from DIR instead of the network
  --keep-wheels DIR  leave the fetched wheels in DIR
TEXT
}

# The first argument is what went wrong; lines after it are for copying.
fail() {
  printf "setup: %s\n" "$1" >&2
  shift
  (($# == 0)) || printf "%s\n" "$@" >&2
  exit 1
}

# Prints those of its arguments that dpkg does not know as installed.
missing_packages() {
  local installed
  # dpkg-query exits 1 when it does not know a name; what it prints for the others is what counts.
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null) || [[ $? -eq 1 ]]
  local name
  for name in "$@"; do
    grep -qx "installed $name" <<<"$installed" || printf '%s\n' "$name"
  done
}

install_packages() {
  local -a as_root=(env DEBIAN_FRONTEND=noninteractive)
  if [[ $EUID -ne 0 ]]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      fail "these Debian packages are missing, and only root can install them. Type this, then run setup again:" \
        "  sudo apt-get update && sudo apt-get install --no-install-recommends $*"
    fi
    as_root=(sudo "${as_root[@]}")
  fi
  printf 'setup: installing %s\n' "$*" >&2
  local -a install=("${as_root[@]}" apt-get install -qq -y --no-install-recommends "$@")
  # Only a list of packages that is absent or too old is worth fetching anew.
  if ! "${install[@]}" >/dev/null 2>&1; then
    "${as_root[@]}" apt-get update -qq >&2 || fail "apt-get update failed; its message is above"
    "${install[@]}" >/dev/null || fail "apt-get could not install $*; its message is above"
  fi
}

main() {
  local -a fetch=() need=("${packages[@]}")
  while (($#)); do
    case $1 in
      --cuda) fetch+=("$1") ;;
      --checks) need+=("${check_packages[@]}") ;;
      --wheels | --keep-wheels)
        (($# > 1)) || fail "$1 needs a folder"
        # The folder is meant from where setup was called.
        fetch+=("$1" "$(cd "$OLDPWD" && realpath -m "$2")")
        shift
        ;;
      -h | --help) usage && exit 0 ;;
      *) fail "unknown argument $1; see scripts/setup.sh --help" ;;
    esac
    shift
  done
  command -v dpkg-query >/dev/null ||
    fail "this is no Debian or Ubuntu. Install these, or what your system calls them, then" \
      "run scripts/fetch_torch.py: ${need[*]}"

  # pip is only the way to libtorch: not needed where libtorch lies already.
  if [[ ! -x $python ]] || ! "$python" scripts/fetch_torch.py --ready "${fetch[@]}"; then
    need+=(python3-pip)
  fi
  local -a absent
  mapfile -t absent < <(missing_packages "${need[@]}")
  if ((${#absent[@]})); then
    install_packages "${absent[@]}"
  fi
  "$python" scripts/fetch_torch.py "${fetch[@]}"
}

main "$@"
