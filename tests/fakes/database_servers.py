"""Real database servers for tests: each in a folder of its own, on a free port of the loopback, without root."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pymysql

from scripts.demo.ports import free_ports

PgConnection = psycopg.Connection[tuple[object, ...]]
PASSWORD = "b1lling-orchard"
READY_WITHIN_S = 60.0


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    return free_ports(1)


def as_user(user: str) -> Sequence[str]:
    """What goes before a command that must not run as root."""
    return ("runuser", "-u", user, "--") if os.geteuid() == 0 else ()


@contextmanager
def folder_of(user: str) -> Iterator[Path]:
    """A folder that `user` may write to; pytest's own are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="tikwatch-server-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class RunningServer:
    """A server that was started; its process, where it listens, and its folder."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def freeze(self) -> None:
        """Stop every process of the server where it is, connections open."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def end(self) -> None:
        """End it, whatever its clients do."""
        self.thaw()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(60)


def started(command: Sequence[str], port: int, folder: Path) -> RunningServer:
    """Starts a server in a process group of its own."""
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=folder
        )
    return RunningServer(port, folder, process)


def postgres_programs() -> Path:
    """The folder with initdb and postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent


def postgres_connection(
    port: int, user: str = "owner", database: str = "postgres"
) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection of the server's owner, each statement committed by itself."""
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        user=user,
        password=PASSWORD,
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    )


def _until_ready(server: RunningServer, connect: "type[Exception]", attempt: object) -> None:
    assert callable(attempt)
    until_s = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            attempt()
        except connect:
            if time.monotonic() > until_s or server.process.poll() is not None:
                raise RuntimeError(
                    (server.folder / "server.log").read_text(errors="replace")[-2000:]
                ) from None
            time.sleep(0.1)
        else:
            return


@contextmanager
def postgres(connections: int = 12) -> Iterator[RunningServer]:
    """A PostgreSQL cluster with so many connections; user `owner`, password `PASSWORD`."""
    with folder_of("postgres") as folder:
        password = folder / "password"
        password.write_text(PASSWORD, encoding="ascii")
        password.chmod(0o644)
        programs, data, port = postgres_programs(), folder / "data", free_port()
        subprocess.run(
            [
                *as_user("postgres"), str(programs / "initdb"), "--pgdata", str(data), "--username=owner",
                "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync", "--encoding=UTF8", "--locale=C",
            ],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        with postgres_on(data, port, folder, "-c", f"max_connections={connections}") as server:
            yield server


@contextmanager
def postgres_on(data: Path, port: int, folder: Path, *options: str) -> Iterator[RunningServer]:
    """A server on the cluster in `data`."""
    settings = {
        "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), "fsync": "off",
        "max_connections": "12", "superuser_reserved_connections": "2", "shared_buffers": "8MB",
    }  # fmt: skip
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [*as_user("postgres"), str(postgres_programs() / "postgres"), "-D", str(data), "-p", str(port)]
    server = started([*command, *arguments, *options], port, folder)
    try:
        _until_ready(server, psycopg.OperationalError, lambda: postgres_connection(port).close())
        yield server
    finally:
        server.end()


@contextmanager
def postgres_replica(primary: RunningServer) -> Iterator[RunningServer]:
    """A standby that streams from `primary`."""
    with folder_of("postgres") as folder:
        data, port = folder / "data", free_port()
        target = f"host=127.0.0.1 port={primary.port} user=owner password={PASSWORD} application_name=standby"
        subprocess.run(
            [
                *as_user("postgres"), str(postgres_programs() / "pg_basebackup"), "-d", target, "-D", str(data),
                "-R", "--checkpoint=fast", "--no-sync", "-X", "stream",
            ],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        with postgres_on(data, port, folder, "-c", "cluster_name=standby") as server:
            yield server


def mariadb_connection(port: int, user: str = "owner") -> "pymysql.Connection[pymysql.cursors.Cursor]":
    """A connection of a user with every right."""
    return pymysql.connect(host="127.0.0.1", port=port, user=user, password=PASSWORD, autocommit=True)


@contextmanager
def mariadb() -> Iterator[RunningServer]:
    """A MariaDB server; user `owner` with every right, password `PASSWORD`."""
    user = "mysql"
    with folder_of(user) as folder:
        data, port = folder / "data", free_port()
        common = ["--no-defaults", f"--datadir={data}"]
        subprocess.run(
            [*as_user(user), "mariadb-install-db", *common, "--auth-root-authentication-method=normal"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        init = folder / "init.sql"
        init.write_text(
            f"CREATE USER owner@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON *.* TO owner@'127.0.0.1' WITH GRANT OPTION;\n",
            encoding="ascii",
        )
        init.chmod(0o644)
        program = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin") or "mariadbd"
        server = started(
            [
                *as_user(user), program, *common, f"--port={port}", "--bind-address=127.0.0.1",
                f"--socket={folder}/socket", f"--pid-file={folder}/pid", f"--init-file={init}",
                "--skip-name-resolve", "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0",
                "--max-connections=12",
            ],
            port, folder,
        )  # fmt: skip
        try:
            _until_ready(server, pymysql.OperationalError, lambda: mariadb_connection(port).close())
            yield server
        finally:
            server.end()
