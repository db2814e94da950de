#!/usr/bin/env bash
# Measures `locustctl serve --locust-ui` in front of a real Locust (installed by tests/run.sh): the
# latency that it adds to a request, the cost of 50 open pages, and the time until a running test has
# its users back.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
target=$(realpath "${CARGO_TARGET_DIR:-target}")
exec python3 benches/locust_ui.py "$target/release/locustctl" target/locust/2.47.0/bin/python
