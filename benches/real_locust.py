"""A simulated cluster and a real Locust master that gets one worker for each ready pod."""

import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FIXTURES = Path("tests/fixtures/locust").absolute()


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


def memory(process: subprocess.Popen, peak: bool = False) -> float:
    """Resident memory in MB: now, or the highest so far."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    name = "VmHWM" if peak else "VmRSS"
    return int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024


class Follower(threading.Thread):
    """A worker for each ready pod of the simulated cluster."""

    def __init__(self, stack: contextlib.ExitStack, kubeconfig: str, python: Path, port: int) -> None:
        super().__init__(daemon=True)
        text = Path(kubeconfig).read_text()
        self.server = re.search(r"server: (\S+)", text)[1]
        self.token = re.search(r"token: (\S+)", text)[1]
        self.stack, self.python, self.port, self.workers = stack, python, port, {}

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
                command = [self.python, FIXTURES / "named.py", "--worker", "--master-port", self.port]
                environment = os.environ | {"POD": name}
                self.workers[name] = start(
                    self.stack, *command, "-f", FIXTURES / "locustfile.py", env=environment
                )
            time.sleep(0.05)


@dataclass
class Place:
    """Where a measurement takes place. It ends with `stack`."""

    stack: contextlib.ExitStack
    locust: str
    environment: dict[str, str]


@contextlib.contextmanager
def real_locust(binary: Path, python: Path, tested: int) -> Iterator[Place]:
    """Starts all. The users of the test send their requests to the port `tested` of this machine."""
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(tempfile.TemporaryDirectory())
        sandbox = start(
            stack, binary, "sandbox", "--pod-ready-after=200ms", stdout=subprocess.PIPE
        )
        kubeconfig = next(
            found[1] for line in sandbox.stdout if (found := re.search(r"KUBECONFIG=(\S+)", line))
        )
        web, bind = free_port(), free_port()
        start(
            stack, python, "-m", "locust", "--master", "--web-host=127.0.0.1", "--web-port", web,
            "--master-bind-port", bind, "-f", FIXTURES / "locustfile.py",
            "--host", f"http://127.0.0.1:{tested}", stdout=subprocess.DEVNULL,
        )  # fmt: skip
        Follower(stack, kubeconfig, python, bind).start()
        locust = f"http://127.0.0.1:{web}"

        def worker_count() -> int:
            with contextlib.suppress(OSError):
                return json.loads(ask(f"{locust}/worker-count"))["worker_count"]
            return 0

        wait_until(lambda: worker_count() == 1)
        environment = {"PATH": os.environ["PATH"], "HOME": work, "KUBECONFIG": kubeconfig}
        yield Place(stack, locust, environment)
