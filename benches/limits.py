"""Measures serve under load: its peak memory, its slowest answer to /healthz, and what its limits do.

Arguments: the binary, and the kubeconfig of a sandbox. Each measurement starts a serve of its own."""

import http.client
import http.server
import json
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

BINARY, KUBECONFIG = sys.argv[1:]
PODS, PAGE_SIZE = 100_000, 15 * 1024 * 1024
WORK = Path(tempfile.mkdtemp())


class Serve:
    """A running serve, and how fast it answers /healthz until the end of the measurement."""

    def __init__(self, flags: list[str], kubeconfig: str, prefix: str, stderr: int) -> None:
        command = [BINARY, "serve", "--listen=127.0.0.1:0", *flags]
        environment = {"PATH": os.environ["PATH"], "HOME": str(WORK), "KUBECONFIG": kubeconfig}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr)
        line = self.process.stdout.readline().decode()
        url = urlsplit(line.split()[-1])
        self.address, self.prefix = (url.hostname, url.port), prefix
        self.is_over, self.results = multiprocessing.Event(), multiprocessing.Queue()
        # In a process of its own, because the clients would slow it down.
        self.checks = multiprocessing.Process(target=self.check)
        self.checks.start()

    def check(self) -> None:
        failed, times = 0, []
        while not self.is_over.wait(0.05):
            began = time.monotonic()
            try:
                failed += self.ask("GET", f"{self.prefix}/healthz")[0] != 200
            except OSError:
                failed += 1
            times.append(time.monotonic() - began)
        self.results.put((failed, times))

    def ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        connection.request(method, path, body or None, {"Connection": "close", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(self.address, 30, (source, 0))

    def peak(self) -> float:
        """The largest resident memory so far, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def report(self, what: str) -> None:
        self.is_over.set()
        failed, times = self.results.get()
        slowest = max(times, default=0) * 1000
        print(f"{what}: {self.peak():.0f} MB at most, /healthz: {len(times)} checks, {failed} failed,")
        print(f"  the slowest took {slowest:.0f} ms", flush=True)


@contextmanager
def serve(*flags: str, kubeconfig: str = KUBECONFIG, prefix: str = "", stderr: int = subprocess.DEVNULL):
    running = Serve(list(flags), kubeconfig, prefix, stderr)
    try:
        yield running
    finally:
        running.is_over.set()
        running.checks.join()
        running.process.kill()
        running.process.wait()


class Stub(http.server.BaseHTTPRequestHandler):
    """Locust with a page of 15 MB, and an API server with 100,000 pods."""

    protocol_version = "HTTP/1.1"
    history = b'{"user_count": 60, "time": "2026-11-23T16:48:32Z"},' * (PAGE_SIZE // 51)
    page = b'<html><body><div id="root"></div><script>window.templateArgs = {"state": "ready", "history": ['
    page += history + b"{}]}</script></body></html>"
    listed = threading.Event()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/":
            return self.answer("text/html", self.page)
        if url.path == "/stats/requests":
            return self.answer("application/json", b'{"state": "ready", "user_count": 0, "workers": []}')
        if "watch" in query:
            self.listed.set()
            time.sleep(60)
            self.close_connection = True
            return None
        if url.path.endswith("/pods"):
            first = int(query.get("continue", 0))
            return self.answer("application/json", pods(first, int(query.get("limit", PODS))))
        if url.path.endswith("/deployments/locust-slave"):
            return self.answer("application/json", json.dumps(DEPLOYMENT).encode())
        return self.answer("text/plain", b"not found", 404)

    def do_POST(self) -> None:
        self.answer("text/plain", b"started")

    def answer(self, media_type: str, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


LABELS = {"app": "locust-slave", "pod-template-hash": "5d8f"}
DEPLOYMENT = {
    "kind": "Deployment",
    "apiVersion": "apps/v1",
    "metadata": {"name": "locust-slave", "namespace": "default", "uid": "1", "resourceVersion": "1"},
    "spec": {"replicas": PODS, "selector": {"matchLabels": {"app": "locust-slave"}}},
    "status": {"replicas": PODS, "readyReplicas": PODS},
}
CONDITIONS = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
POD = json.dumps({
    "metadata": {"name": "NAME", "namespace": "default", "creationTimestamp": "2026-11-23T16:48:32Z", "labels": LABELS,
                 "ownerReferences": [{"kind": "ReplicaSet", "name": "OWNER-5d8f", "controller": True, "uid": "1"}]},
    "spec": {"containers": [{"name": "locust", "image": "locustio/locust", "env": [{"name": "A", "value": "b" * 500}]}]},
    "status": {"phase": "Running", "containerStatuses": [{"name": "locust", "ready": True, "state": {"running": {}}}],
               "conditions": [{"type": kind, "status": "True", "message": ""} for kind in CONDITIONS]},
})


def pods(first: int, limit: int) -> bytes:
    """One page of the list. Every second pod belongs to another Deployment, whose labels match too."""
    last = min(first + limit, PODS)
    owner = lambda index: "locust-slave" if index % 2 else "another"
    items = [POD.replace("NAME", f"locust-slave-{index}").replace("OWNER", owner(index)) for index in range(first, last)]
    following = str(last) if last < PODS else ""
    head = {"resourceVersion": "1", "continue": following}
    return f'{{"kind": "PodList", "apiVersion": "v1", "metadata": {json.dumps(head)}, "items": [{",".join(items)}]}}'.encode()


def stub() -> str:
    """Starts the stub. Returns its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that was closed
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def together(count: int, work) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def measure_pages(locust: str) -> None:
    with serve("--locust-ui", f"--locust={locust}", prefix="/-/locustctl") as running:
        time.sleep(1)

        def load() -> None:
            status, page = running.ask("GET", "/", headers={"Accept": "text/html"})
            assert status == 200 and len(page) > PAGE_SIZE and b"/panel.js" in page[-100:]

        together(20, load)
        running.report("20 loads of a page of 15 MB")


def measure_bodies(locust: str) -> None:
    with serve("--locust-ui", f"--locust={locust}", prefix="/-/locustctl") as running:
        sockets = [running.connect() for _ in range(300)]
        head = b"POST /swarm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
        for client in sockets:
            try:
                client.sendall(head + b"x" * 999_999)
            except OSError:  # refused
                pass
        time.sleep(2)
        running.report("300 unfinished bodies of 1 MB")


def measure_list(api: str) -> None:
    kubeconfig = WORK / "stub"
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "a", "clusters": [{"name": "a", "cluster": {"server": api}}],
              "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}], "users": [{"name": "a", "user": {}}]}
    kubeconfig.write_text(json.dumps(config))
    with serve("deployment/locust-slave", "--locust=none", kubeconfig=str(kubeconfig)) as running:
        time.sleep(1)
        while not json.loads(running.ask("GET", "/api/scale")[1]).get("replicas"):
            time.sleep(0.1)
        while b"locust-slave-1\"" not in first_event(running):
            time.sleep(0.5)
        running.report(f"a list of {PODS} pods")


def first_event(running: Serve) -> bytes:
    client = running.connect()
    client.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = b""
    while b"data: " not in received or not received.endswith(b"\n\n\r\n"):
        part = client.recv(1 << 16)
        if not part:
            break
        received += part
    return received


def measure_silent() -> None:
    with serve() as running:
        clients = []
        for _ in range(30):
            for source in ("127.0.0.1", "127.0.0.2"):
                clients += [running.connect(source) for _ in range(50)]
            time.sleep(0.1)
        running.report(f"{len(clients)} silent connections from two addresses")


def measure_log() -> None:
    token = WORK / "token"
    token.write_text("a-token-of-the-measurement-0123456789")
    log = (WORK / "log").open("wb")
    with serve(f"--auth-token-file={token}", "--max-replicas=5", stderr=log.fileno()) as running:
        headers = {"Authorization": f"Bearer {token.read_text()}", "Content-Type": "application/json"}
        end, sent = time.monotonic() + 5, 0
        while time.monotonic() < end:
            running.ask("PUT", "/api/scale", '{"replicas": 99}', headers)
            sent += 1
        lines = len((WORK / "log").read_bytes().splitlines())
        running.report(f"{sent} refused changes in 5 s, {lines} lines of the log")


def measure_unread_log() -> None:
    with serve("-v=9", stderr=subprocess.PIPE) as running:
        for _ in range(300):
            running.ask("PUT", "/api/scale?dryRun=true", '{"replicas": 2}', {"Content-Type": "application/json"})
        dropped = re.search(rb"log_lines_dropped_total (\d+)", running.ask("GET", "/metrics")[1])
        running.report(f"a log that nobody reads, {int(dropped[1]) if dropped else 0} lines dropped")


address = stub()
measure_pages(address)
measure_bodies(address)
measure_list(address)
measure_silent()
measure_log()
measure_unread_log()
