"""Measures memory and CPU time of serve: idle, and with 500 viewers while the target scales 1 → 50 → 1."""

import asyncio
import json
import os
import sys
import time
import urllib.request
from urllib.parse import urlsplit

PROCESS, URL, LOG = int(sys.argv[1]), sys.argv[2], sys.argv[3]
VIEWERS = 500


def memory() -> float:
    """Resident memory in MB."""
    with open(f"/proc/{PROCESS}/status") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def cpu() -> float:
    """CPU time in seconds."""
    with open(f"/proc/{PROCESS}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle() -> None:
    time.sleep(2)
    before = cpu()
    time.sleep(20)
    print(f"idle: {memory():.1f} MB, {cpu() - before:.2f} s of CPU in 20 s")


async def view(states: list[tuple[int, bool]]) -> None:
    """Records each state that one viewer gets."""
    address = urlsplit(URL)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 20)
    writer.write(f"GET /api/events HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
    async for line in reader:
        if line.startswith(b"data: "):
            replicas = json.loads(line[6:])["replicas"]
            if replicas:
                states.append((replicas["desired"], replicas["settled"]))


def scale(replicas: int) -> None:
    body = json.dumps({"replicas": replicas}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{URL}api/scale?wait=60s", body, headers, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["settled"]


async def measure_viewers() -> None:
    received: list[list[tuple[int, bool]]] = [[] for _ in range(VIEWERS)]
    viewers = [asyncio.create_task(view(states)) for states in received]
    while not all(received):
        await asyncio.sleep(0.05)
    before = cpu()
    for replicas in (50, 1):
        await asyncio.to_thread(scale, replicas)
        while not all((replicas, True) in states for states in received):
            await asyncio.sleep(0.05)
    events = sum(len(states) for states in received)
    print(f"{VIEWERS} viewers, 1 → 50 → 1: every viewer received both counts, {events} events,")
    print(f"  {memory():.1f} MB, {cpu() - before:.2f} s of CPU")
    with open(LOG) as log:
        watches = sum("watch=1" in line for line in log)
    print(f"  watches on the API server: {watches} (one on the Deployment, one on its pods)")
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)


idle()
asyncio.run(measure_viewers())
