"""Compares locustctl and kubectl with `scale --all` on 200 Deployments.

Also measures peak memory for 1 to 1002 targets. kubectl limits itself to five requests per second, so
one of its rounds takes most of a minute.
"""

import json
import os
import ssl
import statistics
import sys
import urllib.request

from measure import BINARY, measure, peak_memory, read_credentials

ROUNDS = 5
LATENCY = os.environ["LATENCY"]


def create_deployments(names):
    server, token, ca_file = read_credentials()
    url = f"{server}/apis/apps/v1/namespaces/default/deployments"
    context = ssl.create_default_context(cafile=ca_file)
    for name in names:
        labels = {"app": name}
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "worker", "image": "locustio/locust"}]},
            }},
        }
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(deployment).encode(), headers)
        urllib.request.urlopen(request, context=context).read()


def main():
    def scale(program, count, *targets):
        return [program, "scale", f"--replicas={count}", "deployment", *targets]

    names = [f"many-{index:04}" for index in range(1000)]
    # The cluster already has locust-master and locust-slave.
    create_deployments(names[:198])
    samples = {"locustctl": [], "kubectl": []}
    measure(scale("kubectl", 0, names[0]))  # fills kubectl's discovery cache
    for count in range(ROUNDS):
        samples["locustctl"].append(measure(scale(BINARY, count % 2, "--all")))
    for count in range(2):
        samples["kubectl"].append(measure(scale("kubectl", count, "--all")))
    print(f"\nscale --all with 200 Deployments, latency {LATENCY}\n")
    print("| | wall, ms | CPU, ms |\n| --- | --- | --- |")
    medians = {}
    for name, rows in samples.items():
        medians[name] = [statistics.median(column) for column in zip(*rows)]
        print(f"| {name} | " + " | ".join(f"{value:.0f}" for value in medians[name]) + " |")
    ratios = [kubectl / locustctl for locustctl, kubectl in zip(medians["locustctl"], medians["kubectl"])]
    print("| kubectl / locustctl | " + " | ".join(f"{ratio:.0f}" for ratio in ratios) + " |")

    create_deployments(names[198:])
    print("\n| targets | peak memory, MB |\n| --- | --- |")
    for count in (1, 250, 500, 1000):
        print(f"| {count} | {peak_memory(scale(BINARY, 0, *names[:count])):.1f} |")
    for targets in (["--all"], ["--all", "-o", "json"]):
        print(f"| {' '.join(targets)} (1002) | {peak_memory(scale(BINARY, 1, *targets)):.1f} |")


if __name__ == "__main__":
    sys.exit(main())
