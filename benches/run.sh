#!/usr/bin/env bash
# Measures `locustctl run` in front of a real Locust (installed by tests/run.sh): the time from the command to
# the first request of the test, and the peak memory of a test. The argument is its length in minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
target=$(realpath "${CARGO_TARGET_DIR:-target}")
exec python3 benches/run.py "$target/release/locustctl" target/locust/2.47.0/bin/python "${1:-10}"
