"""Measures the latency of `locustctl serve --locust-ui`, and the time until users are restored."""

import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

BINARY, PYTHON = (Path(path).absolute() for path in sys.argv[1:3])
FIXTURES = Path("tests/fixtures/locust").absolute()
REQUESTS = 500
PAGES = 50
ROUNDS = 6


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(stack: contextlib.ExitStack, *command: object, **options: object) -> subprocess.Popen:
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
    process = subprocess.Popen([str(word) for word in command], text=True, **quiet)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def wait_until(condition, limit: float = 60.0, pause: float = 0.05):
    end = time.monotonic() + limit
    while not (result := condition()):
        assert time.monotonic() < end, "timed out"
        time.sleep(pause)
    return result


def ask(url: str, method: str = "GET", body: str | None = None, form: bool = False):
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    data = body.encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


class Follower(threading.Thread):
    """A worker for each ready pod of the simulated cluster."""

    def __init__(self, stack: contextlib.ExitStack, kubeconfig: str, port: int) -> None:
        super().__init__(daemon=True)
        text = Path(kubeconfig).read_text()
        self.server = re.search(r"server: (\S+)", text)[1]
        self.token = re.search(r"token: (\S+)", text)[1]
        self.stack, self.port, self.workers = stack, port, {}

    def run(self) -> None:
        insecure = ssl._create_unverified_context()
        url = f"{self.server}/api/v1/namespaces/default/pods?labelSelector=role%3Dworker"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        while True:
            try:
                with urllib.request.urlopen(request, context=insecure) as answer:
                    pods = json.load(answer)["items"]
            except OSError:
                return
            ready = {
                pod["metadata"]["name"]
                for pod in pods
                for one in pod["status"].get("conditions", [])
                if (one["type"], one["status"]) == ("Ready", "True")
            }
            for name in self.workers.keys() - ready:
                self.workers.pop(name).terminate()
            for name in ready - self.workers.keys():
                command = [PYTHON, FIXTURES / "worker.py", "--worker", "--master-port", self.port]
                environment = os.environ | {"POD": name}
                self.workers[name] = start(
                    self.stack, *command, "-f", FIXTURES / "locustfile.py", env=environment
                )
            time.sleep(0.05)


def memory(process: subprocess.Popen) -> float:
    """Resident memory in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


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


def rebalance(direct: int, proxied: int) -> None:
    """The time until a test has its users back after 5 → 1 workers. It begins when Locust's page
    shows one worker, and ends when the page shows all users."""
    locust, serve = f"http://127.0.0.1:{direct}", f"http://127.0.0.1:{proxied}/-/locustctl/api"

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
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(tempfile.TemporaryDirectory())
        piped = {"stdout": subprocess.PIPE}
        sandbox = start(stack, BINARY, "sandbox", "--pod-ready-after=200ms", **piped)
        kubeconfig = next(
            found[1] for line in sandbox.stdout if (found := re.search(r"KUBECONFIG=(\S+)", line))
        )
        web, bind, tested = free_port(), free_port(), free_port()
        start(stack, PYTHON, "-m", "http.server", "--bind", "127.0.0.1", tested, cwd=work, stdout=subprocess.DEVNULL)
        start(
            stack, PYTHON, "-m", "locust", "--master", "--web-host=127.0.0.1", "--web-port", web,
            "--master-bind-port", bind, "-f", FIXTURES / "locustfile.py",
            "--host", f"http://127.0.0.1:{tested}", stdout=subprocess.DEVNULL,
        )  # fmt: skip
        Follower(stack, kubeconfig, bind).start()

        def is_up() -> bool:
            with contextlib.suppress(OSError):
                return bool(ask(f"http://127.0.0.1:{web}/worker-count"))
            return False

        wait_until(is_up)
        environment = {"PATH": os.environ["PATH"], "HOME": work, "KUBECONFIG": kubeconfig}
        serve = start(
            stack, BINARY, "serve", "--locust-ui", f"--locust=http://127.0.0.1:{web}",
            "--listen=127.0.0.1:0", env=environment, **piped,
        )  # fmt: skip
        line = next(line for line in serve.stdout if line.startswith("Serving"))
        proxied = int(re.search(r":(\d+)/$", line.strip())[1])
        wait_until(lambda: json.loads(ask(f"http://127.0.0.1:{web}/worker-count"))["worker_count"] == 1)
        overhead(web, proxied)
        pages(proxied, serve)
        rebalance(web, proxied)


main()
