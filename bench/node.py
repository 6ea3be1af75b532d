"""What the programs of this folder share: a node in a folder of its own, and how much a process takes."""

import json
import os
import re
import signal
import socket
import subprocess

TICKS = os.sysconf("SC_CLK_TCK")


class Node:
    """`aigen dev` with this configuration."""

    def __init__(self, binary, folder, config):
        with open(os.path.join(folder, "aigen.toml"), "w") as file:
            file.write(config)
        self.binary = os.path.abspath(binary)
        self.folder = folder
        self.process = subprocess.Popen(
            [self.binary, "dev", "--port", "0", "--json"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "AIGEN_LOG": "error"},
        )
        ready = json.loads(self.process.stdout.readline())
        self.host, self.port = ready["url"].removeprefix("http://").split(":")
        self.key, self.model = ready["key"], ready["model"]
        self.run("fund", "user:dev", "1000000")

    def run(self, *command):
        ran = subprocess.run([self.binary, *command, "--json"], cwd=self.folder, capture_output=True, text=True)
        if ran.returncode != 0:
            raise SystemExit(f"aigen {' '.join(command)}: {ran.stderr}")
        return json.loads(ran.stdout)

    def connect(self):
        return socket.create_connection((self.host, int(self.port)), timeout=120)

    def send(self, connection, method, path, body=""):
        head = (
            f"{method} {path} HTTP/1.0\r\nhost: {self.host}\r\nauthorization: Bearer {self.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body.encode())}\r\n\r\n"
        )
        connection.sendall(head.encode() + body.encode())

    def metrics(self):
        with self.connect() as connection:
            self.send(connection, "GET", "/metrics")
            text = read_all(connection).decode()
        found = {}
        for name, value in re.findall(r"^([a-z0-9_:]+)(?:\{[^}]*\})? ([0-9.e+-]+)$", text, re.M):
            found[name] = found.get(name, 0) + float(value)
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def read_all(connection):
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def resident_mib(pid, which="VmRSS"):
    """What of a process is in memory: `VmRSS`, or `RssAnon` without the files it has mapped."""
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(rf"{which}:\s+(\d+)", status.read()).group(1)) / 1024


def processor_seconds(pid):
    """Time on processors, of all threads since the process began."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
