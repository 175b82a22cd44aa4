"""Database servers of their own for the tests, in a folder of their own, on a Unix socket."""

import glob
import os
import shutil
import subprocess
import tempfile
import time


class Server:
    """A server that runs until close()."""

    account = None   # whom root runs it as

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="kd")
        self.process = None
        if os.geteuid() == 0:
            shutil.chown(self.dir, self.account)

    def _user(self):
        return {"user": self.account} if os.geteuid() == 0 else {}

    def _make(self, *command):
        done = subprocess.run(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120, **self._user())
        if done.returncode != 0:
            raise AssertionError("%s: %s" % (command[0], done.stdout))

    def _start(self, *command):
        self.output = open(os.path.join(self.dir, "output"), "w+")
        self.process = subprocess.Popen(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT, **self._user())

    def wait(self, connect, seconds=60):
        """Return once connect() does."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return connect()
            except Exception as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.output.seek(0)
                    raise AssertionError("the server does not answer: %s" % self.output.read()) from error
                time.sleep(0.05)

    def close(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.output.close()
        shutil.rmtree(self.dir)


class Postgres(Server):
    account = "postgres"

    def __init__(self):
        super().__init__()
        found = shutil.which("initdb") or max(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
        programs, data = os.path.dirname(found), os.path.join(self.dir, "data")
        self._make(found, "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync")
        self._start(os.path.join(programs, "postgres"), "-D", data, "-k", self.dir, "-c", "listen_addresses=", "-c", "fsync=off")
        self.dsn = "host=%s dbname=postgres user=tester" % self.dir


class MariaDB(Server):
    account = "nobody"

    @staticmethod
    def program():
        """Return the path of the server; None where it is not installed."""
        return shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")

    def __init__(self):
        super().__init__()
        data, self.socket = os.path.join(self.dir, "data"), os.path.join(self.dir, "my.sock")
        begin = "CREATE DATABASE mysql;\nCREATE DATABASE test;\n"
        bootstrap = subprocess.run([self.program(), "--no-defaults", "--bootstrap", "--datadir=" + self._folder(data), "--skip-grant-tables"],
                                   input=begin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **self._user())
        if bootstrap.returncode != 0:
            raise AssertionError(bootstrap.stdout)
        self._start(self.program(), "--no-defaults", "--datadir=" + data, "--socket=" + self.socket, "--skip-networking",
                    "--skip-grant-tables", "--pid-file=" + os.path.join(self.dir, "pid"))

    def _folder(self, path):
        os.mkdir(path, 0o700)
        if os.geteuid() == 0:
            shutil.chown(path, self.account)
        return path
