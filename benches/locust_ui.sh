#!/usr/bin/env bash
# `locustctl serve --locust-ui` in front of a real Locust (tests/run.sh installs it): what it adds to
# a request, what 50 open pages cost, and how soon a running test has its users back.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
target=$(realpath "${CARGO_TARGET_DIR:-target}")
exec python3 benches/locust_ui.py "$target/release/locustctl" target/locust/2.47.0/bin/python
