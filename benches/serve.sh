#!/usr/bin/env bash
# Measures `locustctl serve`: idle, with 500 viewers, at its maximum request rate, and with large pages, many
# bodies, many pods and many connections. Also counts its requests to the API server. Needs python3, curl and wrk.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
binary=$(realpath "${CARGO_TARGET_DIR:-target}/release/locustctl")
work=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$work"' EXIT
pids=()
ulimit -n 4096

wait_for() {
  for _ in $(seq 100); do
    grep -q "$1" "$2" && return
    sleep 0.1
  done
  cat "$2" >&2
  exit 1
}

"$binary" sandbox --pod-ready-after=200ms >"$work/sandbox" &
pids+=($!)
wait_for KUBECONFIG "$work/sandbox"
kubeconfig=$(sed -n 's/.*KUBECONFIG=//p' "$work/sandbox")
env -i PATH="$PATH" HOME="$work" KUBECONFIG="$kubeconfig" \
  "$binary" serve --listen=127.0.0.1:0 -v=6 >"$work/serve" 2>"$work/log" &
serve=$!
pids+=("$serve")
wait_for Serving "$work/serve"
url=$(sed -n 's/^Serving .* on //p' "$work/serve")

python3 benches/serve.py "$serve" "$url" "$work/log"
printf '\nGET /api/scale for 10 s on 64 connections:\n'
before=$(grep -c '"GET \|verb="GET"' "$work/log" || true)
wrk -t1 -c64 -d10s "${url}api/scale" | grep -E 'Requests/sec|Non-2xx' || true
after=$(grep -c '"GET \|verb="GET"' "$work/log" || true)
printf 'GETs at the API server meanwhile: %s\n' "$((after - before))"

printf '\nLoad and limits:\n'
python3 benches/limits.py "$binary" "$kubeconfig"
