"""The daemon's metrics, asked for at its control socket, as numbers."""

import json
import re
import socket

_SAMPLE = re.compile(r'(\w+)(?:\{(\w+)="([^"]*)"\})? (\S+)')


def read(text):
    """{name: number, or {label's value: number}}"""
    metrics = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, label, value, number = _SAMPLE.fullmatch(line).groups()
        if label is None:
            metrics[name] = float(number)
        else:
            metrics.setdefault(name, {})[value] = float(number)
    return metrics


def ask_control(daemon, **request):
    """One request, which the daemon must fulfil. Returns its answer."""
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as answers:
        connection.settimeout(60)
        connection.connect(str(daemon.control_socket))
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(answers.readline())
    assert answer["ok"], answer
    return answer


def text_of(daemon, is_openmetrics=True):
    return ask_control(daemon, command="metrics", format="openmetrics" if is_openmetrics else "prometheus")["text"]


def metrics_of(daemon):
    return read(text_of(daemon))
