#!/usr/bin/env bash
# Runs the array of docs/examples/batch on a Slurm of one node, merges its journals, and compares the pictures with those of a
# run without shards. The Slurm is of Debian's packages, lives in a temporary folder, and is stopped at the end; needs root.
#
#   scripts/try_slurm.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly build=$(realpath "${1:-build/release}")
readonly packages=(slurmctld slurmd slurm-client munge)
readonly place=$(mktemp -d)
pids=()

# What has ended by itself is no fault; the exit code is that of whoever called for the end.
stop() {
  local pid
  for pid in "${pids[@]}"; do
    if kill -0 "$pid" 2>/dev/null; then kill "$pid"; fi
  done
  for pid in "${pids[@]}"; do
    until ! kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  done
  rm -rf "$place"
}
trap stop EXIT

fail() {
  printf 'try_slurm: %s\n' "$1" >&2
  local log
  for log in "$place"/*.log; do
    if [[ -f $log ]]; then tail -n 20 "$log" >&2; fi
  done
  exit 1
}

# Waits until a command succeeds, half a minute at most.
until_works() {
  local left=60
  until "$@" >/dev/null 2>&1; do
    ((left-- > 0)) || fail "this did not come to work in 30 s: $*"
    sleep 0.5
  done
}

install_packages() {
  local program
  for program in slurmctld slurmd sbatch munged; do
    command -v "$program" >/dev/null || break
  done
  if command -v "$program" >/dev/null; then return; fi
  apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
}

write_configuration() {
  local name
  name=$(hostname -s)
  mkdir -p "$place"/{state,spool,run,munge}
  cat >"$place/slurm.conf" <<TEXT
ClusterName=trial
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$place/munge/socket
CredType=cred/munge
SlurmctldPort=36817
SlurmdPort=36818
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/run/slurmctld.pid
SlurmdPidFile=$place/run/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$name Default=YES MaxTime=INFINITE State=UP
TEXT
  dd if=/dev/urandom of="$place/munge/key" bs=1024 count=1 status=none
  chmod 0400 "$place/munge/key"
  chmod 0711 "$place" "$place/munge"
}

start_daemons() {
  munged --foreground --force --key-file="$place/munge/key" --socket="$place/munge/socket" --pid-file="$place/munge/pid" \
    --log-file="$place/munge/log" --seed-file="$place/munge/seed" >"$place/munged.log" 2>&1 &
  pids+=($!)
  until_works test -S "$place/munge/socket"
  slurmctld -D -f "$place/slurm.conf" >"$place/slurmctld.log" 2>&1 &
  pids+=($!)
  slurmd -D -f "$place/slurm.conf" >"$place/slurmd.log" 2>&1 &
  pids+=($!)
  export SLURM_CONF=$place/slurm.conf
  until_works sh -c 'sinfo -h -o %t | grep -qx idle'
}

install_packages
write_configuration
start_daemons
mkdir "$place/work"
cp docs/examples/batch/{jobs.jsonl,array.sbatch} "$place/work"
cd "$place/work"
export PATH=$build:$PATH
printf 'try_slurm: an array of 4 on one node\n'
sbatch --wait array.sbatch || fail "the array did not end well: $(cat out-*.txt 2>/dev/null)"
cat out-*.txt
lapis batch --merge out
lapis batch jobs.jsonl -o whole/ -t 1 -q >/dev/null
for picture in whole/*.png; do
  cmp "$picture" "out/${picture#whole/}"
done
printf 'try_slurm: %s pictures of the array equal those of one run\n' "$(ls whole/*.png | wc -l)"
