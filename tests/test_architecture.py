"""Imports point one way, each heavy library has one door, and text leaves through one."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "bot": {"bot", "chains", "prompts", "store"},
    "chains": {"chains", "prompts", "store"},
    "prompts": {"prompts"},
    "store": {"store"},
}
NOT_OURS_TO_IMPORT = {"benchmarks", "tests", "tools"}
DOORS = {
    "telegram": {
        "bot/doctor.py",
        "bot/groups.py",
        "bot/handlers.py",
        "bot/intake.py",
        "bot/menus.py",
        "bot/outgoing.py",
        "bot/polling.py",
        "bot/requests.py",
        "bot/webhook.py",
    },
    "aiohttp": {"bot/requests.py"},
    "chromadb": {"store/index.py"},
    "sqlalchemy": {
        "store/conversations.py",
        "store/mailbox.py",
        "store/migrations",
        "store/own_data.py",
        "store/people.py",
        "store/shown.py",
    },
    "alembic": {"store/conversations.py", "store/migrations"},
}
SPEAKS = re.compile(r"(send|reply|edit|copy|forward)_(?!chat_action$)\w+|do_api_request")
"""Telegram's methods that put something into a chat."""


@dataclass(frozen=True)
class Module:
    """A module of the program: its path as POSIX text, and what it says."""

    path: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package at the top."""
        return self.path.split("/")[0]

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every imported module's full name with its line, wherever the import stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield "." * node.level + (node.module or ""), node.lineno

    def calls(self) -> Iterator[ast.Call]:
        """Every call of a method or of a function in a module."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node


def modules() -> list[Module]:
    """Every module of the four packages."""
    found = []
    for package in MAY_IMPORT:
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found.append(Module(path.relative_to(ROOT).as_posix(), tree))
    return found


MODULES = modules()


def says_text(call: ast.Call) -> bool:
    """Whether a call looks like one that shows words in Telegram."""
    assert isinstance(call.func, ast.Attribute)
    if SPEAKS.fullmatch(call.func.attr):
        return True
    # `query.answer()` only stops the button's spinner; with a text it shows one.
    of_query = ast.unparse(call.func.value).endswith("query")
    named = any(k.arg in {"text", "url", None} for k in call.keywords)
    return call.func.attr == "answer" and (named or of_query and bool(call.args))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    ours = {*MAY_IMPORT, *NOT_OURS_TO_IMPORT}
    wrong = [
        f"{m.path}:{line} imports {name}"
        for m in MODULES
        if m.package == package
        for name, line in m.imports()
        if name.split(".")[0] in ours - MAY_IMPORT[package] or name.startswith(".")
    ]
    assert wrong == []


@pytest.mark.parametrize("library", DOORS)
def test_each_heavy_library_has_its_doors(library: str) -> None:
    users = {m.path for m in MODULES for name, _ in m.imports() if name.split(".")[0] == library}
    assert users, f"nothing imports {library}"
    allowed = DOORS[library]
    strangers = {u for u in users if u not in allowed and not u.startswith(tuple(allowed))}
    assert strangers == set()
    unused = {d for d in allowed if not any(u.startswith(d) for u in users)}
    assert unused == set(), "doors that are not used any more"


def test_only_outgoing_says_anything_in_telegram() -> None:
    speakers = {
        f"{m.path}: {ast.unparse(call.func)}"
        for m in MODULES
        for call in m.calls()
        if says_text(call)
    }
    assert {s for s in speakers if not s.startswith("bot/outgoing.py")} == set()
    assert speakers, "the check no longer recognises the call that sends"


@pytest.mark.parametrize(
    "line",
    [
        "bot.send_message(chat, text)",
        "message.reply_text('x')",
        "query.edit_message_text('x')",
        "bot.send_message_draft(1, 2, 'x')",
        "bot.do_api_request('sendRichMessage', said)",
        "update.callback_query.answer('x')",
        "update.callback_query.answer(text='x')",
        "bot.answer(**options)",
    ],
)
def test_the_check_recognises_ways_to_say_something(line: str) -> None:
    (call,) = Module("x", ast.parse(line)).calls()
    assert says_text(call)


@pytest.mark.parametrize(
    "line", ["query.answer()", "commands.answer(program, person, said)", "bot.send_chat_action(1)"]
)
def test_the_check_lets_silent_calls_pass(line: str) -> None:
    (call,) = Module("x", ast.parse(line)).calls()
    assert not says_text(call)


def test_nouns_settings_and_help_load_no_heavy_library() -> None:
    heavy = ["chromadb", "langchain", "langchain_core", "onnxruntime", "sqlalchemy", "telegram"]
    script = (
        "import sys, bot.settings, store.article, store.turn, bot.__main__; "
        f"print([h for h in {heavy} if h in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


_POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+|\(\?>")


def test_no_group_is_repeated_possessively() -> None:
    """Python before 3.11.5 takes too much then, as in `(?:, ?\\d)*+` of "2, B": that is what
    Debian 12 has (github.com/python/cpython/issues/106052)."""
    assert _POSSESSIVE_GROUP.search(r"\d(?:, ?\d){0,60}+")
    assert not _POSSESSIVE_GROUP.search(r"\d++(?:, ?\d)*")
    found = [
        f"{path.relative_to(ROOT)}: {pattern}"
        for package in MAY_IMPORT
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for pattern in node.value.splitlines()
        if _POSSESSIVE_GROUP.search(pattern)
    ]
    assert found == []
