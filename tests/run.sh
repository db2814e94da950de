#!/usr/bin/env bash
# Runs all tests, including those that `cargo test` skips because they need another program.
# Installs missing programs: Debian's packages, and packages of Python and Node in target/.
# With --long as the first argument, the tests with a real Locust use every release and more random
# sequences.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1-}" = --long ]; then
  export LOCUSTCTL_LONG=1
  shift
fi

debian() {
  echo "missing: installing Debian's $*" >&2
  if [ "$(id -u)" -eq 0 ]; then as_root=(); else as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y --no-install-recommends "$@" >/dev/null
}

command -v kubectl >/dev/null || debian kubernetes-client
command -v chromedriver >/dev/null || debian chromium chromium-driver
command -v npm >/dev/null || debian npm

# Checks the answers of the HTTP API against its OpenAPI description.
schemathesis=4.32.5
venv=$PWD/target/venv
if ! "$venv/bin/schemathesis" --version 2>/dev/null | grep -qF "$schemathesis"; then
  python3 -m venv "$venv" 2>/dev/null || { debian python3-venv && python3 -m venv "$venv"; }
  "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$schemathesis"
fi
export PATH=$PATH:$venv/bin

# The real Locust: each release that behaves differently, and one that is too old for locustctl.
export LOCUSTS=${LOCUSTS:-$PWD/target/locust}
for release in 2.47.0 2.46.4 2.32.2 2.25.0 2.15.1; do
  if ! "$LOCUSTS/$release/bin/locust" --version 2>/dev/null | grep -qF "$release"; then
    python3 -m venv "$LOCUSTS/$release"
    "$LOCUSTS/$release/bin/pip" install --quiet --disable-pip-version-check "locust==$release"
  fi
done

# Checks the accessibility of the page.
axe=4.14.1
export AXE=$PWD/target/npm/node_modules/axe-core/axe.min.js
if ! grep -qsF "axe v$axe" "$AXE"; then
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix target/npm "axe-core@$axe"
fi

exec cargo test --locked "$@" -- --include-ignored
