"""A small agent for the tests: takes lines on a Unix socket and acknowledges them."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Agent:
    """Listens on a socket of its own; acks can be withheld and connections cut."""

    def __init__(self, listen=True):
        self.dir = tempfile.mkdtemp(prefix="ka")
        self.path = os.path.join(self.dir, "log.sock")
        self.acking = True
        self.connections = []   # lists of lines as they came
        self.socks = []
        self.server = None
        if listen:
            self.listen()

    def listen(self):
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(64)
        threading.Thread(target=self._accept, args=(self.server,), daemon=True).start()

    def _accept(self, server):
        while True:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            lines = []
            self.connections.append(lines)
            self.socks.append(sock)
            threading.Thread(target=self._serve, args=(sock, lines), daemon=True).start()

    def _serve(self, sock, lines):
        rest, count = b"", 0
        while True:
            try:
                data = sock.recv(65536)
            except OSError:
                return
            if not data:
                return
            *got, rest = (rest + data).split(b"\n")
            lines.extend(line.decode() for line in got)
            count += sum(not line.startswith(b"!") for line in got)
            if self.acking:
                try:
                    sock.sendall(b"ack %d\n" % count)
                except OSError:
                    return

    def cut(self):
        """Close the socket and all connections, as an agent that dies does."""
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        os.unlink(self.path)
        for sock in self.socks:
            sock.close()
        self.socks = []

    def close(self):
        if self.server is not None:
            self.server.close()
        for sock in self.socks:
            sock.close()
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(self.dir)

    def records(self):
        """Return all records that came, over all connections."""
        return [json.loads(line) for lines in list(self.connections) for line in list(lines)
                if not line.startswith("!")]

    def wait(self, found, seconds=10):
        """Return the records once found(records) holds."""
        deadline = time.monotonic() + seconds
        while True:
            records = self.records()
            if found(records):
                return records
            if time.monotonic() > deadline:
                raise AssertionError("not within %s s: %r" % (seconds, records))
            time.sleep(0.005)


def environment(path, **more):
    env = {**os.environ, "PYTHONPATH": HERE, "KURAMA_OUTPUT": "*", "KURAMA_SOCKET": path, **more}
    return {k: v for k, v in env.items() if v is not None}


def run(script, path, check=True, serving=True, **more):
    """Run script in an interpreter that has the library started, as if it had
    had its first request where serving; return its output."""
    begin = "import kurama._boot, kurama._state\nkurama._state.sender.serving = %r\n" % serving
    done = subprocess.run([sys.executable, "-c", begin + script], env=environment(path, **more),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    if check and done.returncode != 0:
        raise AssertionError("exit %d: %s%s" % (done.returncode, done.stdout, done.stderr))
    return done
