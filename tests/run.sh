#!/usr/bin/env bash
# Runs every test, also those that `cargo test` leaves out because they need another program.
# Installs such a program where it is missing (Debian's packages; Python's and Node's below
# target/), and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

debian() {
  echo "missing: installing Debian's $*" >&2
  if [ "$(id -u)" -eq 0 ]; then as_root=(); else as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y --no-install-recommends "$@" >/dev/null
}

command -v kubectl >/dev/null || debian kubernetes-client

# Holds the description of the HTTP endpoint against its answers.
schemathesis=4.32.5
venv=$PWD/target/venv
if ! "$venv/bin/schemathesis" --version 2>/dev/null | grep -qF "$schemathesis"; then
  python3 -m venv "$venv" 2>/dev/null || { debian python3-venv && python3 -m venv "$venv"; }
  "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$schemathesis"
fi
export PATH=$PATH:$venv/bin

exec cargo test --locked "$@" -- --include-ignored
