#!/usr/bin/env bash
# Runs every test, also those that `cargo test` leaves out because they need another program.
# Installs such a program where it is missing, and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v kubectl >/dev/null; then
  echo "kubectl is missing: installing Debian's package" >&2
  if [ "$(id -u)" -eq 0 ]; then as_root=(); else as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y --no-install-recommends kubernetes-client >/dev/null
fi

exec cargo test --locked "$@" -- --include-ignored
