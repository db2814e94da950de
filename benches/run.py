"""Measures `locustctl run` with a real Locust: the time until the first request of a test, and its memory."""

import http.server
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from real_locust import Place, ask, memory, real_locust, wait_until

BINARY, PYTHON, MINUTES = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute(), int(sys.argv[3])
ROUNDS = 7


class Tested(http.server.ThreadingHTTPServer):
    """The server under test. It remembers when it got the first request since `first` was set to `None`."""

    first: float | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.server.first is None:
            self.server.first = time.monotonic()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def is_idle(place: Place) -> bool:
    return json.loads(ask(f"{place.locust}/stats/requests"))["state"] in ("ready", "stopped")


def first_request(place: Place, tested: Tested) -> None:
    """Starts the same test alternately by Locust's own POST and by `locustctl run`, with one worker up."""

    def by_locust() -> None:
        ask(f"{place.locust}/swarm", "POST", "user_count=10&spawn_rate=10&run_time=2s", form=True)

    def by_run() -> None:
        command = [BINARY, "run", f"--locust={place.locust}", "-u10", "-r10", "-t2s"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, env=place.environment, check=True, **quiet)

    took: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for begin, times in zip((by_locust, by_run), took, strict=True):
            wait_until(lambda: is_idle(place))
            # The users of the test before have ended then.
            time.sleep(3)
            tested.first, started = None, time.monotonic()
            begin()
            times.append(wait_until(lambda: tested.first) - started)
    by_locust_took, by_run_took = (statistics.median(times) for times in took)
    print(
        f"command to first request: {by_locust_took:.2f} s by Locust itself, "
        f"{by_run_took - by_locust_took:+.2f} s by run (medians of {ROUNDS}; slowest {max(took[1]):.2f} s)"
    )


def peak_memory(place: Place) -> None:
    work = Path(place.environment["HOME"])
    reports = [
        f"--{name}={work / file}"
        for name, file in (
            ("html", "report.html"), ("csv", "report"), ("json-file", "report.json"),
            ("junit", "report.xml"), ("markdown", "report.md"),
        )
    ]  # fmt: skip
    command = [
        BINARY, "run", f"--locust={place.locust}", "--replicas=3", "-u100", "-r10", f"-t{MINUTES}m",
    ]  # fmt: skip
    run = subprocess.Popen(
        [*command, *reports], env=place.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    most = 0.0
    while run.poll() is None:
        # The process has no memory left when it has ended and was not waited for.
        try:
            most = memory(run, peak=True)
        except TypeError:
            break
        time.sleep(0.02)
    assert run.wait() == 0
    print(f"a test of {MINUTES} minutes with 100 users and all reports: {most:.1f} MB at most")


def main() -> None:
    tested = Tested(("127.0.0.1", 0), Handler)
    threading.Thread(target=tested.serve_forever, daemon=True).start()
    with real_locust(BINARY, PYTHON, tested.server_address[1]) as place:
        first_request(place, tested)
        peak_memory(place)


main()
