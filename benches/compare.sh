#!/usr/bin/env bash
# Compares locustctl, kubectl and curl with one simulated cluster: medians and ratios.
# The argument is the number of rounds. Needs kubectl, curl, python3 and GNU time. Instruction
# counts also need valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-30}

cargo build --release --locked
binary=$(realpath "${CARGO_TARGET_DIR:-target}/release/locustctl")
work=$(mktemp -d)
trap 'kill "$sandbox" 2>/dev/null; rm -rf "$work"' EXIT

# Starts a simulated cluster with these flags, and runs a script of this directory against it.
measure() {
  local script=$1
  shift
  "$binary" sandbox --pod-ready-after=1h "$@" >"$work/sandbox" &
  sandbox=$!
  for _ in $(seq 100); do
    grep -q KUBECONFIG "$work/sandbox" && break
    sleep 0.1
  done
  kubeconfig=$(sed -n 's/.*KUBECONFIG=//p' "$work/sandbox")
  env -i PATH="$PATH" HOME="$work" KUBECONFIG="$kubeconfig" WORK="$work" LATENCY="$latency" \
    python3 "benches/$script.py" "$binary" "$rounds"
  kill "$sandbox"
  wait "$sandbox" || true
}

latency=5ms
measure measure
measure many --latency="$latency"
