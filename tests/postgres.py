"""A real PostgreSQL for tests: the one that COROLLARY_TEST_POSTGRES names, or a throw-away server.

The throw-away server needs the PostgreSQL server programs on this machine (in PATH, or where
Debian puts them). It listens on loopback and on a socket in its own folder, keeps fsync on, trusts
whoever connects, and is gone with its data when the tests end. PostgreSQL refuses to run as root,
so root starts it as `nobody`.
"""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

PASSWORD = "correct-horse-battery"
"""In every URL of a throw-away server, which trusts anybody, so that tests can look for it."""

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 10.0
_PORT_ATTEMPTS = 3
"""Another program can take the free port before the server does."""


class Postgres:
    """A PostgreSQL server that hands out new, empty databases.

    Making one takes longer than most tests, so the next is made while a test runs.
    """

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._maker = ThreadPoolExecutor(max_workers=1)
        self._spare = self._maker.submit(self._make)

    def _make(self) -> str:
        name = f"corollary_test_{uuid.uuid4().hex[:12]}"
        asyncio.run(self.run(f"CREATE DATABASE {name}"))
        return name

    def close(self) -> None:
        """Drops the database that nobody asked for."""
        name = self._spare.result()
        self._maker.submit(asyncio.run, self.run(f"DROP DATABASE {name}")).result()
        self._maker.shutdown()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """The URL of a new database, dropped at the end even when somebody is still connected."""
        name = await asyncio.wrap_future(self._spare)
        self._spare = self._maker.submit(self._make)
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            await self.run(f"DROP DATABASE {name} WITH (FORCE)")

    async def run(self, statement: str) -> None:
        """Runs one statement outside of any transaction, as CREATE DATABASE asks for."""
        engine = create_async_engine(self._url, isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                await connection.execute(sa.text(statement))
        finally:
            await engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole run; skips the test where there is none."""
    configured = os.environ.get("COROLLARY_TEST_POSTGRES")
    if configured:
        with closing(Postgres(sa.make_url(configured))) as server:
            yield server
        return
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL: set COROLLARY_TEST_POSTGRES, or install the server programs")
    with _server(programs) as url, closing(Postgres(url)) as server:
        yield server


def _programs() -> Path | None:
    """The folder with `initdb` and `postgres`; the newest of Debian's when several are there."""
    in_path = shutil.which("initdb")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: float(folder.parent.name),
        reverse=True,
    )
    for folder in [*([Path(in_path).resolve().parent] if in_path else []), *debian]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


@contextmanager
def _server(programs: Path) -> Iterator[sa.URL]:
    # Not below pytest's own temporary folder: only its owner may enter that one, and the path of
    # a socket must be short.
    home = Path(tempfile.mkdtemp(prefix="corollary-pg-"))
    try:
        account = _account()
        if account:
            os.chown(home, account["user"], account["group"])
        # Losing a half-made database to a power cut harms nobody: --no-sync is for initdb only.
        made = subprocess.run(
            [str(programs / "initdb"), "--pgdata", str(home / "data"), "--no-sync"]
            + ["--username", "corollary", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"],
            check=False,
            capture_output=True,
            text=True,
            cwd=home,
            env=_environment(),
            **account,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")
        process, port = _start(programs, home, account)
        try:
            yield sa.URL.create(
                "postgresql+asyncpg", "corollary", PASSWORD, "127.0.0.1", port, "postgres"
            )
        finally:
            _stop(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _account() -> dict[str, Any]:
    """Whom the server runs as, in the words of `subprocess`; empty for whoever runs the tests."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Ours without the PG* variables, which would reach into the server."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")}


def _start(
    programs: Path, home: Path, account: dict[str, Any]
) -> tuple[subprocess.Popen[bytes], int]:
    log = home / "log"
    # Where the system can do so, a killed test run takes its server along.
    with_us = ["setpriv", "--pdeathsig", "INT", "--"] if shutil.which("setpriv") else []
    for _ in range(_PORT_ATTEMPTS):
        port = _free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                with_us
                + [str(programs / "postgres"), "-D", str(home / "data"), "-k", str(home)]
                + ["-h", "127.0.0.1", "-p", str(port), "-c", "fsync=on"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home,
                env=_environment(),
                start_new_session=True,
                **account,
            )
        if _is_ready(process, home / "data" / "postmaster.pid"):
            return process, port
        _stop(process)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(process: subprocess.Popen[bytes], pid_file: Path) -> bool:
    """Waits until the server says so in its pid file, as `pg_ctl --wait` does."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        if pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"):
            return True
        time.sleep(0.02)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server by its own process id: SIGINT is its fast shutdown."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(_STOP_TIMEOUT_S)
