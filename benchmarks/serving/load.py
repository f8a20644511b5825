"""Load from wrk (github.com/wg/wrk), and what the server's processes spent on it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving.requests import Sent

# wrk's own script language; the summary goes to standard output behind a mark.
_SCRIPT = """
wrk.method = "POST"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
{headers}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    "\\nJSON {{\\"requests\\": %d, \\"seconds\\": %f, \\"p50\\": %f, \\"p99\\": %f, \\"errors\\": %d}}\\n",
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What one run of the load generator saw.

    Attributes:
        rate: Requests a second.
        p50: Milliseconds.
        p99: Milliseconds.
        cpu: Microseconds of CPU, user and system, of all the server's processes, for one request.
        errors: Answers other than 2xx or 3xx, and broken connections.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    errors: int


def load(server: psutil.Process, port: int, sent: Sent, connections: int, seconds: float) -> Load:
    """Send one request again and again over so many connections.

    Raises:
        ValueError: wrk ended with an error, or no request was answered.
    """
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder) / "body", Path(folder) / "post.lua"
        body.write_bytes(sent.body)
        headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in sent.headers.items())
        script.write_text(_SCRIPT.format(body=body, headers=headers))
        url = f"http://127.0.0.1:{port}{sent.path}"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", str(script), url]
        before = _cpu_seconds(server)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        spent = _cpu_seconds(server) - before
    said = [line for line in done.stdout.splitlines() if line.startswith("JSON ")]
    if done.returncode or not said:
        raise ValueError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    seen = json.loads(said[0][5:])
    answered = max(seen["requests"], 1)
    return Load(answered / seen["seconds"], seen["p50"], seen["p99"], spent / answered * 1e6, seen["errors"])


def resident_megabytes(server: psutil.Process) -> float:
    """Return the memory of the server and its children; pages that they share count once."""
    total = 0
    for process in (server, *server.children(recursive=True)):
        full = process.memory_full_info()
        total += getattr(full, "pss", full.uss)
    return total / 1e6


def _cpu_seconds(server: psutil.Process) -> float:
    times = [process.cpu_times() for process in (server, *server.children(recursive=True))]
    return sum(each.user + each.system for each in times)
