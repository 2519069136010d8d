"""One store of the sample articles for all tests, and a program over it."""

import gc
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from articles import FORKED
from filelock import FileLock

from bot import limits, outgoing, worker
from bot.app import Program, open_program
from bot.settings import Settings
from chains import assistant
from store import library

pytest_plugins = ("postgres",)

gc.set_threshold(50_000)


def pytest_collection_finish() -> None:
    """Modules and tests are half a million objects that stay: to look through them again and again
    would take a tenth of the time of all tests."""
    gc.freeze()


LONGEST = (
    "test_faults", "test_intake", "test_probes", "test_corrections", "test_walkthrough",
    "test_admin_telegram", "test_cli", "test_reload", "test_telegram", "test_journal", "test_write",
    "test_chatapi", "test_store_machine", "test_index", "test_many_replies", "test_ground",
    "test_page", "test_conversations", "test_admin", "test_calibrate", "test_worker",
    "test_growing", "test_languages", "test_cost_benchmark", "test_dialogues", "test_hostile",
    "test_review",
)  # fmt: skip
"""Files that take longest, in that order: they are begun first, so that in the end no worker is
left alone with one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """No setting of the developer's own, no tracing, no model hub."""
    kept = dict(os.environ)
    for name in list(os.environ):
        ours = name.startswith("COROLLARY_") and not name.startswith("COROLLARY_TEST_")
        if ours or name.startswith(("LANGSMITH_", "LANGCHAIN_")):
            del os.environ[name]
    os.environ["HF_HUB_OFFLINE"] = "1"
    yield
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """A connection that leaves this machine fails the test that made it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0]) if isinstance(address, tuple) else str(address)
            if not host.startswith("127.") and host not in ("::1", "localhost"):
                raise AssertionError(f"a test reached for the network: {host}")
        return connect(self, address)  # type: ignore[arg-type]  # as handed over

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]  # for all tests
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]  # back again


@pytest.fixture(scope="session", autouse=True)
def _nothing_set_apart() -> Iterator[None]:
    """A build that is opened is not set apart, which goes through all objects of the process."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(library, "set_apart", lambda: None)
        patched.setattr(assistant, "set_apart", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _workers_ready_in_a_moment() -> Iterator[None]:
    """What this process reloads is built in processes that need not import the program each. The
    real commands start theirs as they always do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(worker, "multiprocessing", FORKED)
        yield


@pytest.fixture(autouse=True)
def _unpaced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversations are not held to Telegram's pace, but for tests of that (marked `paced`) and
    processes of their own; what failed is soon tried again. Where the server says to wait, there
    is waiting."""
    if request.node.get_closest_marker("paced") is None:
        for name in ("PER_CHAT_S", "CHAT_BURST", "PER_GROUP_S", "GROUP_BURST"):
            monkeypatch.setattr(limits, name, 1000.0)
        monkeypatch.setattr(outgoing, "FIRST_PAUSE_S", 0.05)


def settings_for(folder: Path, **values: object) -> Settings:
    """Settings with a data folder of their own, whatever the environment and .env say."""
    return Settings(_env_file=None, data_dir=folder, **values)  # type: ignore[call-arg, arg-type]


@pytest.fixture(scope="session")
async def data_folder(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """The data folder of the shared program, with the samples built, once for all workers."""
    root = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        root = root.parent
    built = root / "built"
    with FileLock(root / "built.lock"):
        if not built.exists():
            made = tmp_path_factory.mktemp("making") / "data"
            async with open_program(settings_for(made), say=lambda text: None):
                pass
            made.rename(built)
    return Path(shutil.copytree(built, tmp_path_factory.mktemp("shared") / "data"))


@pytest.fixture
def data(program: Program, data_folder: Path, tmp_path: Path) -> Path:
    """A data folder of one's own with the samples built."""
    return Path(shutil.copytree(data_folder, tmp_path / "data"))


@pytest.fixture(scope="session")
async def program(data_folder: Path) -> AsyncIterator[Program]:
    """The sample articles, built. Use conversation ids of your own; change nothing else."""
    async with open_program(settings_for(data_folder), say=lambda text: None) as opened:
        yield opened


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write anywhere: for a while it is somebody whom permissions bind."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
