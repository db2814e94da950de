"""Measures locustctl, kubectl and curl, and prints medians and ratios as a table.

Each round runs every program once, so that a change in the machine's load affects all of them.
"""

import base64
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

BINARY, ROUNDS = sys.argv[1], int(sys.argv[2])
WORK, KUBECONFIG = os.environ["WORK"], os.environ["KUBECONFIG"]
TARGET = "deployment/locust-slave"


def read_credentials():
    """Returns the server, the token and the path of the CA certificate."""
    text = open(KUBECONFIG).read()
    server = re.search(r"server: [\"']?(https://[^\s\"']+)", text).group(1)
    token = re.search(r"token: [\"']?([^\s\"']+)", text).group(1)
    ca_data = re.search(r"certificate-authority-data: [\"']?([^\s\"']+)", text).group(1)
    ca_file = os.path.join(WORK, "ca.crt")
    with open(ca_file, "wb") as file:
        file.write(base64.b64decode(ca_data))
    return server, token, ca_file


def curl_command(count):
    server, token, ca_file = read_credentials()
    url = f"{server}/apis/apps/v1/namespaces/default/deployments/locust-slave/scale"
    common = ["-s", "-S", "-o", os.devnull, "--fail", "--cacert", ca_file, "-H", f"Authorization: Bearer {token}"]
    patch = f'[{{"op":"add","path":"/spec/replicas","value":{count}}}]'
    return ["curl", *common, url, "--next", *common, "-X", "PATCH",
            "-H", "Content-Type: application/json-patch+json", "-d", patch, url]


def measure(command):
    """Runs the command. Returns its wall time and CPU time in milliseconds."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed: {errors.decode()}")
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3


def peak_memory(command):
    """Peak memory in MB, measured with GNU time.

    `os.wait4` in measure() cannot tell it: a child inherits the peak of this process.
    """
    out = os.path.join(WORK, "memory")
    subprocess.run(["time", "-f", "%M", "-o", out, *command], stdout=subprocess.DEVNULL, check=True)
    return int(open(out).read().split()[-1]) * 1024 / 1e6


def instructions(command):
    if not shutil.which("valgrind"):
        return None
    out = os.path.join(WORK, "callgrind.out")
    run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command],
                         capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1)) / 1e6


def main():
    programs = {
        "locustctl": lambda count: [BINARY, "scale", f"--replicas={count}", TARGET],
        "kubectl": lambda count: ["kubectl", "scale", f"--replicas={count}", TARGET],
        "curl": curl_command,
    }
    samples = {name: [] for name in programs}
    for command in programs.values():
        measure(command(1))  # fills the caches, including kubectl's discovery cache
    for round_number in range(ROUNDS):
        for name, command in programs.items():
            run = command(round_number % 2 + 1)
            samples[name].append((*measure(run), peak_memory(run)))
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in samples.items()}

    version = subprocess.run(["kubectl", "version", "--client"], capture_output=True, text=True).stdout
    print(f"{ROUNDS} rounds, medians; kubectl with a warm discovery cache, {version.splitlines()[0]}\n")
    print("| | wall, ms | CPU, ms | peak memory, MB |\n| --- | --- | --- | --- |")
    for name, (wall, cpu, memory) in medians.items():
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {memory:.1f} |")
    for other in ("kubectl", "curl"):
        ratios = [locustctl / compared for locustctl, compared in zip(medians["locustctl"], medians[other])]
        print(f"| locustctl / {other} | " + " | ".join(f"{ratio:.3f}" for ratio in ratios) + " |")
    print()
    for label, command in {"scale": programs["locustctl"](2), "--version": [BINARY, "--version"]}.items():
        count = instructions(command)
        print(f"{label}: {count:.2f} million instructions" if count else f"{label}: valgrind is missing, not counted")
    print(f"binary: {os.path.getsize(BINARY) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
