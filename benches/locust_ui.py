"""Measures the latency of `locustctl serve --locust-ui`, and the time until users are restored."""

import http.client
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from real_locust import ask, free_port, memory, real_locust, start, wait_until

BINARY, PYTHON = (Path(path).absolute() for path in sys.argv[1:3])
REQUESTS = 500
PAGES = 50
ROUNDS = 6


def overhead(direct: int, proxied: int) -> None:
    """Sends the same requests to Locust and to serve alternately, each on its own connection.

    Locust sends an answer in two pieces. On a kept connection each answer would wait 40 ms for an
    acknowledgement.
    """
    for path in ("/worker-count", "/", "/stats/requests"):
        took: list[list[float]] = [[], []]
        for _ in range(REQUESTS):
            for port, times in zip((direct, proxied), took, strict=True):
                begin = time.perf_counter()
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("GET", path, headers={"Accept": "text/html"})
                connection.getresponse().read()
                times.append((time.perf_counter() - begin) * 1000)
                connection.close()
        direct_time, proxied_time = (statistics.median(times) for times in took)
        print(f"{path}: {direct_time:.2f} ms directly, {proxied_time - direct_time:+.2f} ms through the proxy (medians)")


def pages(proxied: int, serve: subprocess.Popen) -> None:
    """Measures the memory of serve with many open pages. Each page loads, follows the events, and polls."""
    url = f"http://127.0.0.1:{proxied}"
    bundle = re.search(r"assets/[\w-]+\.js", ask(f"{url}/"))[0]
    print(f"before any page: {memory(serve):.1f} MB")
    followers = []
    for _ in range(PAGES):
        ask(f"{url}/")
        with urllib.request.urlopen(f"{url}/{bundle}") as answer:
            assert len(answer.read()) > 1_000_000
        follower = http.client.HTTPConnection("127.0.0.1", proxied)
        follower.request("GET", "/-/locustctl/api/events")
        follower.getresponse().readline()
        followers.append(follower)
    most = 0.0
    for _ in range(5):
        looking = [
            threading.Thread(target=ask, args=(f"{url}/stats/requests",)) for _ in range(PAGES)
        ]
        for thread in looking:
            thread.start()
        for thread in looking:
            thread.join()
        most = max(most, memory(serve))
    print(f"{PAGES} open pages: {most:.1f} MB")
    downloading = [
        threading.Thread(target=ask, args=(f"{url}/stats/report?download=1",)) for _ in range(10)
    ]
    for thread in downloading:
        thread.start()
    while any(thread.is_alive() for thread in downloading):
        most = max(most, memory(serve))
        time.sleep(0.02)
    print(f"{PAGES} open pages and 10 simultaneous downloads of the report (1 MB): {most:.1f} MB")
    for follower in followers:
        follower.close()


def rebalance(locust: str, proxied: int) -> None:
    """The time until a test has its users back after 5 → 1 workers. It begins when Locust's page
    shows one worker, and ends when the page shows all users."""
    serve = f"http://127.0.0.1:{proxied}/-/locustctl/api"

    def page_number(name: str) -> int:
        return int(re.search(rf'"{name}": (\d+)', ask(f"{locust}/"))[1])

    for users in (60, 300):
        times = []
        for _ in range(ROUNDS):
            ask(f"{serve}/scale?wait=60s", "PUT", '{"replicas": 5}')
            wait_until(lambda: page_number("worker_count") == 5)
            ask(f"{locust}/swarm", "POST", f"user_count={users}&spawn_rate={users}", form=True)
            wait_until(lambda: page_number("user_count") == users)
            time.sleep(3)
            ask(f"{serve}/scale", "PUT", '{"replicas": 1}')
            wait_until(lambda: page_number("worker_count") == 1, pause=0.01)
            begin, left = time.monotonic(), page_number("user_count")
            assert left < users, "no user was lost, so there is nothing to measure"
            wait_until(lambda: page_number("user_count") == users, pause=0.01)
            times.append(time.monotonic() - begin)
            # The confirmation follows later. The test must still run then.
            time.sleep(4)
            ask(f"{locust}/stop", "POST", "", form=True)
        median, maximum = statistics.median(times), max(times)
        each = ", ".join(f"{one:.2f}" for one in times)
        print(f"5 → 1 workers, {users} users: all restored in {median:.2f} s (median), {maximum:.2f} s (maximum) ({each})")


def main() -> None:
    tested = free_port()
    with real_locust(BINARY, PYTHON, tested) as place:
        start(
            place.stack, PYTHON, "-m", "http.server", "--bind", "127.0.0.1", tested,
            cwd=place.environment["HOME"], stdout=subprocess.DEVNULL,
        )  # fmt: skip
        serve = start(
            place.stack, BINARY, "serve", "--locust-ui", f"--locust={place.locust}",
            "--listen=127.0.0.1:0", env=place.environment, stdout=subprocess.PIPE,
        )  # fmt: skip
        line = next(line for line in serve.stdout if line.startswith("Serving"))
        proxied = int(re.search(r":(\d+)/$", line.strip())[1])
        overhead(urlsplit(place.locust).port, proxied)
        pages(proxied, serve)
        rebalance(place.locust, proxied)


main()
