"""The `corollary` command: exit codes, what it says, and the JSON that programs read."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import click
import pytest
from botapi import BotApi
from click.testing import CliRunner
from conftest import without_privileges
from doors import COMMAND, InProcess, Ran, cited, environment, listed

from bot.__main__ import cli
from bot.commands import COMMANDS
from bot.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
HEMANGIOMA = "Does topical timolol work for infantile hemangioma?"
FOLLOW_UP = "and ECG screening?"
READ_AS = "ECG screening — Infantile hemangioma"
DISCLAIMER = "Professional disclaimer."

ARTICLE = """\
---
slug: wart-laser
title: "Does pulsed dye laser clear warts?"
topic: "Pulsed dye laser for warts"
status: under_review
updated: 2026-01-02
references:
  1:
    kind: rct
    title: "A trial of pulsed dye laser in warts"
    authors: "Ada B; Carl D"
    journal: "Journal of Warts"
    year: 2020
    pmid: "12345"
---
## From the guidelines

- No guideline on pulsed dye laser for warts was found.

## From the research

- In a trial, pulsed dye laser cleared warts in 66% of 40 patients. [1]
"""


@pytest.fixture
def corollary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> InProcess:
    """Runs the command in this process, in an empty folder and with no data yet."""
    empty = tmp_path / "here"
    empty.mkdir()
    monkeypatch.chdir(empty)
    return InProcess(monkeypatch, capsys, tmp_path / "none-yet")


@pytest.fixture
def built(corollary: InProcess, data: Path) -> InProcess:
    """Runs the command over the samples, built."""
    corollary.data = data
    return corollary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good article."""
    made = tmp_path / "articles"
    made.mkdir()
    (made / "wart-laser.md").write_text(ARTICLE)
    return made


def refused(ran: Ran, code: int, *pieces: str) -> None:
    """Checks that a command ended so, said those things, and showed no traceback."""
    assert ran.code == code, ran
    told = ran.told()
    assert len(told.splitlines()) <= 3, told
    for piece in pieces:
        assert piece in told, told


# ------------------------------------------------------------------------------ real processes


def started(data: Path, *args: str) -> subprocess.Popen[bytes]:
    """A real process with pipes."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [COMMAND, *args],
        cwd=data,
        env=environment(data, {}),
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
    )


def ended(process: subprocess.Popen[bytes]) -> Ran:
    """How it ended."""
    out, err = process.communicate(timeout=60)
    return Ran(process.returncode, out.decode(), err.decode())


def test_a_conversation_continues_in_another_process(built: InProcess) -> None:
    first = built("ask", HEMANGIOMA, "--conversation", "ward 7", "--json")
    assert json.loads(first.out)["topic"]["slug"] == "infantile-hemangioma"
    second = ended(started(built.data, "ask", FOLLOW_UP, "--conversation", "ward 7", "--json"))
    assert (second.code, second.told()) == (0, "")
    assert json.loads(second.out)["read_as"] == READ_AS
    assert json.loads(second.out)["conversation"] == "ward 7"


def test_without_a_conversation_a_question_stands_alone(built: InProcess) -> None:
    assert built("ask", HEMANGIOMA, "--conversation", "ward 8").code == 0
    alone = answer(built("ask", FOLLOW_UP, "--json").out)
    other = answer(built("ask", FOLLOW_UP, "--json", "--conversation", "ward 9").out)
    assert READ_AS not in (alone["read_as"], other["read_as"])


def test_a_mistake_is_two_sentences_in_a_real_process_too(data: Path) -> None:
    unknown = started(data, "articles", "show", "infantile-hemangoma")
    empty = started(data, "ask", "  ")
    refused(ended(unknown), 1, "There is no article `infantile-hemangoma`", "Did you mean")
    refused(ended(empty), 1, "The question has no words.")


def test_a_closed_pipe_is_no_error(data: Path) -> None:
    process = started(data, "articles", "show", "pdl-exosomes")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    told = process.stderr.read().decode()
    process.stderr.close()
    process.wait(60)
    assert not told


def test_output_that_cannot_show_a_character_shows_the_rest(
    built: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = BytesIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", TextIOWrapper(narrow, encoding="ascii"))
        ran = built("ask", HEMANGIOMA)
        sys.stdout.flush()
        shown = narrow.getvalue().decode("ascii")
    assert ran.code == 0
    assert "? " in shown
    assert "timolol" in shown
    assert DISCLAIMER in shown


# ------------------------------------------------------------------------------ a user's mistakes


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("", "The question has no words."),
        ("👍", "The question has no words."),
        ("x" * 20_000, "The question has 20,000 characters; at most 2,000 are read."),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(
    question: str, told: str, corollary: InProcess
) -> None:
    refused(corollary("ask", question), 1, f"Error: {told}")


@pytest.mark.parametrize(
    "args",
    [
        ["no-such-command"],
        ["ask"],
        ["ask", "one", "two"],
        ["ask", "--no-such-option", "x"],
        ["articles", "show"],
        ["articles", "check"],
        ["gaps", "--limit", "0"],
        ["gaps", "--limit", "many"],
    ],
)
def test_a_wrong_command_line_ends_with_2_and_the_usage(
    args: list[str], corollary: InProcess
) -> None:
    ran = corollary(*args)
    assert ran.code == 2
    assert "Usage: corollary" in ran.told()
    assert "Error: " in ran.err


def test_an_unknown_article_is_told_with_the_near_ones(corollary: InProcess) -> None:
    for args in (
        ["articles", "show", "pdl-exosome"],
        ["articles", "show", "pdl-exosome", "--json"],
    ):
        refused(corollary(*args), 1, "There is no article `pdl-exosome`", "pdl-exosomes")
    refused(corollary("articles", "show", "../../etc/passwd"), 1, "There is no article")


def test_a_missing_article_folder_is_told_with_the_setting(
    corollary: InProcess, tmp_path: Path
) -> None:
    missing = str(tmp_path / "no-such")
    told = (f"The article folder {missing} does not exist.", "COROLLARY_ARTICLES_DIR")
    for args in (["articles", "list"], ["articles", "show", "x"]):
        refused(corollary(*args, ARTICLES_DIR=missing), 2, *told)
    for args in (["articles", "reload"], ["ask", "keloid?"]):
        refused(corollary(*args, ARTICLES_DIR=missing), 2, missing)
    refused(corollary("articles", "check", missing), 2, f"{missing} does not exist.")


def test_a_data_folder_that_is_a_file_is_told_with_the_setting(
    corollary: InProcess, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for data in (file, file / "below"):
        corollary.data = data
        for args in (["ask", "keloid?"], ["chat"], ["articles", "reload"], ["gaps"]):
            refused(corollary(*args), 2, f"The data folder {data} cannot", "COROLLARY_DATA_DIR")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the permissions of Unix")
def test_a_data_folder_that_may_not_be_written_to_is_told_with_the_setting(
    corollary: InProcess, tmp_path: Path
) -> None:
    data = tmp_path / "locked"
    data.mkdir()
    for above in tmp_path.parents:
        if above.stat().st_uid == os.geteuid() and above.is_relative_to("/tmp"):
            above.chmod(above.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    tmp_path.chmod(0o755)
    data.chmod(0o555)
    corollary.data = data
    with without_privileges():
        ran = corollary("ask", "keloid?")
    refused(ran, 2, f"The data folder {data} cannot be written to: Permission denied.")


def test_a_missing_or_incomplete_model_is_told_with_the_setting(
    corollary: InProcess, tmp_path: Path
) -> None:
    half = tmp_path / "half"
    half.mkdir()
    (half / "tokenizer.json").write_text("{}")
    for model in (tmp_path / "no-model", half):
        ran = corollary("ask", "keloid?", MODEL_DIR=str(model))
        refused(ran, 2, str(model), "COROLLARY_MODEL_DIR")


def test_the_bot_without_a_token_is_told_where_to_get_one(built: InProcess) -> None:
    refused(built("telegram"), 2, "COROLLARY_TELEGRAM_TOKEN is not set.", "@BotFather")


# ------------------------------------------------------------------------------ settings


BAD_SETTINGS = {
    "ADMIN_IDS": "12,s3cret-value",
    "ALLOWED_IDS": "-5",
    "ACCESS": "s3cret-value",
    "INVITE_CODES": "s3cret!value",
    "REVIEW_GRACE_DAYS": "s3cret-value",
    "SERVE_UNDER_REVIEW": "s3cret-value",
    "TELEGRAM_TOKEN": "s3cret-value",
    "TELEGRAM_BASE_URL": "ftp://s3cret-value",
    "CHAT_MODEL": "S3CRET VALUE",
    "CHAT_MODEL_BASE_URL": "s3cret-value",
    "EMBEDDINGS": "s3cret value",
    "OPERATOR_NAME": "s3cret-value" * 40,
    "ALLOW_TRACING": "s3cret-value",
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_a_malformed_setting_is_named_and_its_value_not_repeated(
    name: str, corollary: InProcess
) -> None:
    value = BAD_SETTINGS[name]
    for args in (["settings"], ["doctor"], ["articles", "list"]):
        ran = corollary(*args, **{name: value})
        refused(ran, 2, f"{PREFIX}{name}", "`corollary settings --example`")
        assert "s3cret" not in ran.err.lower()
        assert not ran.out


@pytest.mark.parametrize("name", ["ADMIN_IDS", "ALLOWED_IDS"])
@pytest.mark.parametrize(
    "ids", ["*", "all", "0", "-5", "7001;7002", "7001 7002", "7001,@ada", "١٢", "1.5"]
)
def test_the_bot_does_not_start_with_a_list_of_people_that_it_cannot_read(
    name: str, ids: str, corollary: InProcess
) -> None:
    ran = corollary("telegram", **{name: ids, "ACCESS": "allowlist", "TELEGRAM_TOKEN": "1:x"})
    refused(ran, 2, f"{PREFIX}{name}: is not a comma-separated list of positive numbers")


def test_a_kind_of_access_that_there_is_not_is_refused(corollary: InProcess) -> None:
    for access in ("everybody", "open,invite", "allowlist!"):
        ran = corollary("telegram", ACCESS=access, TELEGRAM_TOKEN="1:x")
        refused(ran, 2, f"{PREFIX}ACCESS: ", "'allowlist', 'invite' or 'open'")


def test_a_database_that_cannot_be_read_is_told_without_its_password(built: InProcess) -> None:
    for url in (
        "postgresql+asyncpg://ada:s3cret@w0rd@127.0.0.1/x",
        "nonsense s3cret",
        "postgresql+asyncpg://ada:s3cret@127.0.0.1:9/x",
        "nosuchdriver://ada:s3cret@127.0.0.1/x",
    ):
        ran = built("gaps", DATABASE_URL=url)
        refused(ran, 2)
        assert "s3cret" not in ran.err


def test_invitations_without_a_code_are_a_contradiction(corollary: InProcess) -> None:
    refused(corollary("settings", ACCESS="invite"), 2, "needs COROLLARY_INVITE_CODES")


def test_a_misspelt_setting_is_told_with_the_likely_one(corollary: InProcess) -> None:
    hint = "COROLLARY_ADMINIDS is not a setting (did you mean COROLLARY_ADMIN_IDS?)"
    ran = corollary("settings", ADMINIDS="1")
    assert (ran.code, ran.told()) == (0, f"Warning: {hint}\n")
    env = Path(".env")
    env.write_text("OTHER=1\nCOROLLARY_ADMINIDS=s3cret\n")
    ran = corollary("settings")
    refused(ran, 2, "COROLLARY_ADMINIDS in .env is not a setting (did you mean COROLLARY_ADMIN_IDS")
    assert "s3cret" not in ran.err
    env.write_bytes(b"COROLLARY_OPERATOR_NAME=\xff\xfe\n")
    refused(corollary("settings"), 2, ".env is not UTF-8.")
    env.write_text("COROLLARY_ADMIN_IDS=4,5\nCOROLLARY_OPERATOR_NAME=The <b>{operator}</b>\n")
    assert "COROLLARY_ADMIN_IDS=4,5" in corollary("settings").out.splitlines()


def test_settings_are_shown_with_secrets_masked(corollary: InProcess) -> None:
    secrets = {
        "TELEGRAM_TOKEN": "123:s3cret",
        "INVITE_CODES": "s3cret-code",
        "DATABASE_URL": "postgresql+asyncpg://ada:s3cret@127.0.0.1/x",
    }
    given = {**secrets, "ADMIN_IDS": " 7, 8 ", "ACCESS": "open"}
    text, shown = corollary("settings", **given), corollary("settings", "--json", **given)
    assert (text.code, shown.code) == (0, 0)
    assert "s3cret" not in text.out + text.err + shown.out + shown.err
    values = json.loads(shown.out)
    assert set(values) == {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in secrets:
        assert values[f"{PREFIX}{name}"] == "********"
    assert values["COROLLARY_ADMIN_IDS"] == [7, 8]
    assert values["COROLLARY_SERVE_UNDER_REVIEW"] is True
    assert "COROLLARY_ADMIN_IDS=7,8" in text.out.splitlines()
    assert set(values) == {line.partition("=")[0] for line in text.out.splitlines()}


def test_the_example_of_settings_is_the_file_that_ships(corollary: InProcess) -> None:
    shown = corollary("settings", "--example").out
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == shown


def test_every_setting_is_explained_in_the_example_and_can_be_read_from_it(
    corollary: InProcess,
) -> None:
    shown = corollary("settings", "--example").out
    for name, field in Settings.model_fields.items():
        words = " ".join(shown.replace("\n# ", " ").split())
        assert field.description and " ".join(field.description.split()) in words
        assert f"# {PREFIX}{name.upper()}=" in shown
    Path(".env").write_text(re.sub(rf"^# ({PREFIX}\w+=)", r"\1", shown, flags=re.MULTILINE))
    ran = corollary("settings", "--json")
    assert ran.code == 0, ran.err
    Path(".env").unlink()
    assert json.loads(corollary("settings", "--json").out) == json.loads(ran.out)


def test_the_operator_is_named_as_given_in_the_disclaimer(corollary: InProcess) -> None:
    name = "Dr {operator} %s <b>& Co</b>"
    ran = corollary("articles", "show", "pdl-exosomes", OPERATOR_NAME=name)
    assert ran.out.strip().endswith(
        f"{name} accepts no liability for decisions based on this reply."
    )


# ------------------------------------------------------------------------------ help


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The commands by the words that call them, groups included."""
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name)


WITHOUT_EXAMPLE = {
    ("articles",),
    ("people",),
    ("turns",),
    ("articles", "list"),
    ("doctor",),
    ("gaps",),
    ("settings",),
    ("telegram",),
}
"""Commands that are called by their name alone."""


@pytest.mark.parametrize("path", list(every_command(cli)), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    for flag in ("--help", "-h"):
        shown = CliRunner().invoke(cli, [*path, flag], prog_name="corollary")
        assert shown.exit_code == 0
    usage, _, rest = shown.output.partition("\n")
    assert usage.startswith(" ".join(["Usage: corollary", *path]))
    assert len(rest.strip().splitlines()[0].split()) > 2, "no explanation"
    if path not in WITHOUT_EXAMPLE:
        example = shown.output.partition("Example")[2]
        assert " ".join(["corollary", *path]) in example


def test_every_option_is_explained() -> None:
    for path in every_command(cli):
        command: click.Command = cli
        for name in path:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help or option.show_default, (path, option.name)


def test_the_help_of_the_doors_names_every_command(built: InProcess) -> None:
    shown = built("chat", stdin="/help\n").out
    for command in COMMANDS.values():
        assert f"/{command.name} – {command.help}" in shown


# ------------------------------------------------------------------------------ JSON

ANSWER = set(
    "kind read_as topic sections sources articles caution conflicts reason nearest followups "
    "disclaimer text build timings_ms".split()
)
SOURCE = set("n key kind first_author title journal year pmid doi url articles".split())
REFERENCE = set("n key kind title authors journal year volume pages pmid doi url".split())
PROBLEM = {"severity", "code", "line", "field", "message"}
KINDS = set(
    "answered partly_answered not_covered needs_clarification new_topic out_of_scope "
    "patient_specific urgent".split()
)


def answer(line: str) -> Any:
    """An answer as programs read it, its shape checked."""
    shape = json.loads(line)
    assert set(shape) >= ANSWER
    assert shape["kind"] in KINDS
    assert shape["text"].endswith(shape["disclaimer"])
    if shape["topic"]:
        assert set(shape["topic"]) >= {"slug", "title"}
    if shape["nearest"]:
        assert set(shape["nearest"]) >= {"slug", "section"}
    numbers = {s["n"] for s in shape["sources"]}
    for section in shape["sections"]:
        assert section["title"] in ("From the guidelines", "From the research")
        for statement in section["statements"]:
            assert set(statement) >= {"text", "citations", "article", "passage"}
            assert set(statement["citations"]) <= numbers
            assert statement["text"].split()[0] in shape["text"]
    for source in shape["sources"]:
        assert set(source) >= SOURCE
    for article in shape["articles"]:
        assert set(article) >= {"slug", "title", "status", "updated"}
    assert cited(shape["text"]) == listed(shape["text"]) == numbers
    assert all(isinstance(ms, float | int) for ms in shape["timings_ms"].values())
    return shape


def test_an_answer_as_json_has_the_fields_that_programs_read(built: InProcess) -> None:
    ran = built("ask", HEMANGIOMA, "--json")
    assert (ran.code, ran.told()) == (0, "")
    assert answer(ran.out)["sources"]


def test_a_chat_in_json_answers_line_by_line(built: InProcess) -> None:
    lines: list[object] = [
        {"conversation": "a", "question": HEMANGIOMA},
        {"conversation": "b", "question": "What is the capital of France?"},
        {"conversation": "a", "question": FOLLOW_UP},
        {"question": "I want to kill myself"},
    ]
    ran = built("chat", "--json", stdin="\n\n".join(map(json.dumps, lines)) + "\n")
    assert (ran.code, ran.told()) == (0, "")
    first, other, second, alone = map(answer, ran.out.splitlines())
    assert (first["conversation"], other["conversation"]) == ("a", "b")
    assert second["read_as"] == READ_AS
    assert other["kind"] == "out_of_scope"
    assert alone["kind"] == "urgent"
    assert alone["conversation"] == "console"


def test_an_unusable_line_of_json_is_told_and_the_next_one_answered(built: InProcess) -> None:
    unusable = [
        b"no json",
        b"[]",
        b"5",
        b"null",
        b'{"conversation": "a"}',
        b'{"question": 5}',
        b'{"question": ""}',
        b'{"question": "keloid?", "conversation": 5}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"question": "x" * 20_000}).encode(),
        b'{"question": "keloid?", "conversation": "\\ud800"}',
    ]
    usable = json.dumps({"question": "keloid \ud800 laser?"}).encode()
    ran = built("chat", "--json", stdin=b"\n".join([*unusable, usable]))
    assert ran.code == 1
    assert not ran.told()
    *errors, last = ran.out.splitlines()
    assert len(errors) == len(unusable)
    for line in errors:
        shape = json.loads(line)
        assert shape["error"]
        assert shape["disclaimer"].startswith(DISCLAIMER)
    answer(last)


def test_a_piped_chat_answers_every_line_with_the_disclaimer(built: InProcess) -> None:
    typed = [HEMANGIOMA, "", "/articles", "👍", "/nonsense", "x" * 20_000, FOLLOW_UP]
    raw = "\n".join(typed).encode() + b"\n\xff\xfe\n/quit\nno\n"
    ran = built("chat", stdin=raw)
    assert (ran.code, ran.told()) == (0, "")
    assert ran.out.count(DISCLAIMER) == 7
    assert ran.out.strip().endswith("based on this reply.")
    assert f"Read as: {READ_AS}" in ran.out
    assert "> no" not in ran.out


def test_the_list_of_articles_as_json_has_the_fields_that_programs_read(
    corollary: InProcess, folder: Path
) -> None:
    rows = json.loads(corollary("articles", "list", "--json").out)
    assert len(rows) == 12
    for row in rows:
        assert set(row) >= {"slug", "title", "status", "updated", "review_by", "served"}
        assert (row["status"], row["served"]) == ("under_review", True)
    (own,) = json.loads(corollary("articles", "list", "--json", ARTICLES_DIR=str(folder)).out)
    assert own["served"] is False
    assert own["review_by"] is None
    served = {"ARTICLES_DIR": str(folder), "SERVE_UNDER_REVIEW": "true"}
    (own,) = json.loads(corollary("articles", "list", "--json", **served).out)
    assert own["served"] is True
    text = corollary("articles", "list").out.splitlines()
    assert [line.split()[0] for line in text] == [row["slug"] for row in rows]


def test_an_article_as_json_has_the_fields_that_programs_read(corollary: InProcess) -> None:
    shape = json.loads(corollary("articles", "show", "pdl-scars-keloids", "--json").out)
    fields = "slug title aliases status updated reviews references sections conflicts probes"
    assert set(shape) >= set(fields.split())
    known = {r["n"] for r in shape["references"]}
    for reference in shape["references"]:
        assert set(reference) >= REFERENCE
        assert isinstance(reference["authors"], list)
    for section in shape["sections"]:
        assert set(section) >= {"title", "statements"}
        for statement in section["statements"]:
            assert set(statement) >= {"text", "citations"}
            assert set(statement["citations"]) <= known
    assert set(shape["probes"]) == {"answerable", "unanswerable"}
    assert shape["conflicts"]


def test_an_article_as_text_ends_with_the_disclaimer(corollary: InProcess) -> None:
    shown = corollary("articles", "show", "pdl-scars-keloids")
    assert (shown.code, shown.told()) == (0, "")
    for heading in ("From the guidelines", "From the research", "References"):
        assert f"\n{heading}\n" in shown.out
    assert DISCLAIMER in shown.out.rstrip().rpartition("\n\n")[2]


# ------------------------------------------------------------------------------ article files

BAD_ARTICLES: dict[str, tuple[bytes, str, int]] = {
    "binary": (b"\x00\x01\x02" + ARTICLE.encode(), "binary", 1),
    "not UTF-8": (ARTICLE.replace("Ada B", "Ad\xe9 B").encode("latin-1"), "encoding", 11),
    "a citation without reference": (
        ARTICLE.replace("40 patients. [1]", "40 patients. [1, 7]").encode(),
        "citation_without_reference",
        22,
    ),
    "an unknown status": (
        ARTICLE.replace("under_review", "reviewed").encode(),
        "unknown_status",
        5,
    ),
    "an unknown field": (ARTICLE.replace("topic:", "topik:").encode(), "unknown_field", 4),
    "no front matter": (b"# Warts\n", "front_matter", 1),
    "nothing": (b"", "front_matter", 1),
    "broken YAML": (ARTICLE.replace("references:", "references: [").encode(), "yaml", 9),
    "HTML": (ARTICLE.replace("In a trial", "<b>In</b> a trial").encode(), "markup", 22),
    "no statements": (ARTICLE.partition("## From")[0].encode(), "empty", 1),
}


@pytest.mark.parametrize("name", BAD_ARTICLES)
def test_a_bad_article_is_refused_with_its_line(
    name: str, corollary: InProcess, folder: Path
) -> None:
    raw, code, line = BAD_ARTICLES[name]
    bad = folder / "bad.md"
    bad.write_bytes(raw.replace(b"wart-laser", b"bad"))
    text = corollary("articles", "check", str(folder))
    assert text.code == 1
    assert not text.told()
    assert f"{bad}:{line}: error: " in text.out
    assert text.out.splitlines()[-1].startswith("2 files, 1 refused, ")
    shape = json.loads(corollary("articles", "check", str(bad), "--json").out)
    assert set(shape) == {"files"}
    (file,) = shape["files"]
    assert set(file) >= {"path", "slug", "accepted", "problems"}
    assert (file["path"], file["accepted"]) == (str(bad), False)
    for problem in file["problems"]:
        assert set(problem) >= PROBLEM
    errors = [(p["code"], p["line"]) for p in file["problems"] if p["severity"] == "error"]
    assert (code, line) in errors


def test_a_slug_given_twice_is_refused_in_both_files(corollary: InProcess, folder: Path) -> None:
    shutil.copy(folder / "wart-laser.md", folder / "again.md")
    ran = corollary("articles", "check", str(folder), "--json")
    assert ran.code == 1
    for file in json.loads(ran.out)["files"]:
        assert not file["accepted"]
        assert file["problems"][0]["code"] == "duplicate_slug"
    assert corollary("articles", "list", "--json", ARTICLES_DIR=str(folder)).out == "[]\n"


def test_good_articles_are_accepted(corollary: InProcess, folder: Path) -> None:
    ran = corollary("articles", "check", str(folder), str(ROOT / "store" / "samples"))
    assert (ran.code, ran.told()) == (0, "")
    assert ran.out.splitlines()[-1] == "13 files, 0 refused, 0 warnings."


def test_a_reload_serves_what_is_good_and_names_what_is_not(
    corollary: InProcess, folder: Path
) -> None:
    (folder / "bad.md").write_bytes(b"\x00")
    served = {"ARTICLES_DIR": str(folder), "SERVE_UNDER_REVIEW": "true"}
    checked = corollary("articles", "reload", "--check", **served)
    assert checked.code == 1
    assert "Checked only, nothing is switched" in checked.out
    ran = corollary("articles", "reload", "--json", **served)
    assert ran.code == 1
    report = json.loads(ran.out)
    assert report["added"] == ["wart-laser"]
    assert report["refused"][0]["problems"][0]["code"] == "binary"
    asked = corollary("ask", "Does pulsed dye laser clear warts?", "--json", **served)
    assert asked.code == 0
    shape = answer(asked.out)
    assert "66% of 40 patients" in shape["text"]
    assert shape["build"] == report["build"]
    (folder / "wart-laser.md").unlink()
    lost = corollary("articles", "reload", **served)
    assert lost.code in (1, 2)
    lost.told()
    assert "66% of 40" in corollary("ask", "Does pulsed dye laser clear warts?", **served).out


def test_the_gaps_are_the_questions_that_were_not_answered(built: InProcess) -> None:
    asked = "What is the five-year recurrence rate of keloids after pulsed dye laser?"
    assert answer(built("ask", asked, "--json").out)["kind"] == "not_covered"
    # Other tests ask in this store too, and what is alike is one row.
    rows = json.loads(built("gaps", "--json").out)
    assert set(rows[0]) == {
        *("question", "questions", "people", "article", "section", "reason"),
        *("first_at", "noticed_at"),
    }
    assert all(1 <= r["people"] <= r["questions"] for r in rows)
    assert any("keloids" in r["question"] for r in rows)
    shown = built("gaps", "--limit", "1").out
    assert rows[0]["question"] in shown
    assert json.loads(built("gaps", "--json", "--since", "2999-01-01").out) == []


def test_a_start_serves_no_other_folder_than_the_one_in_service(
    corollary: InProcess, folder: Path
) -> None:
    served = {"ARTICLES_DIR": str(folder), "SERVE_UNDER_REVIEW": "true"}
    question = "Does pulsed dye laser clear warts?"
    assert corollary("ask", question, **served).code == 0
    lost = corollary("ask", question)
    assert lost.code == 2
    assert str(folder) in lost.told()
    assert "66% of 40 patients" in corollary("ask", question, **served).out


# ------------------------------------------------------------------------------ doctor


def findings(ran: Ran) -> dict[str, Any]:
    """What the doctor found, by subject."""
    ran.told()
    found = json.loads(ran.out)
    for one in found:
        assert set(one) == {"subject", "works", "told", "todo"}
        assert one["works"] is not False or one["todo"], one
    return {one["subject"]: one for one in found}


def files_of_build(data: Path) -> list[Path]:
    """The files of the one build there is."""
    (manifest,) = (data / "builds").glob("*/manifest.json")
    return [f for f in manifest.parent.rglob("*") if f.is_file()]


def test_the_doctor_finds_nothing_wrong_with_a_whole_installation(built: InProcess) -> None:
    token = "123:s3cret-token"
    with BotApi(token) as api:
        bot = {"TELEGRAM_TOKEN": token, "TELEGRAM_BASE_URL": api.base_url}
        ran = built("doctor", **bot)
        assert ran.code == 0, ran
        assert token not in ran.out + ran.err
        assert "ok   Telegram: @stand_in_bot (access: allowlist)" in ran.out
    lines = ran.out.splitlines()
    assert len(lines) == 7
    assert [line[:5].strip() for line in lines] == ["ok"] * 6 + ["--"]
    assert "12 articles, 242 passages" in ran.out


def test_the_doctor_names_what_does_not_work_and_what_to_do(
    built: InProcess, tmp_path: Path, folder: Path
) -> None:
    (folder / "bad.md").write_bytes(b"\x00")
    largest = max(files_of_build(built.data), key=lambda f: f.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    with BotApi("123:ANOTHER") as api:
        found = findings(
            built(
                "doctor",
                "--json",
                TELEGRAM_TOKEN="123:s3cret",
                TELEGRAM_BASE_URL=api.base_url,
                ARTICLES_DIR=str(folder),
                ADMINIDS="1",
            )
        )
    wrong = {subject for subject, one in found.items() if one["works"] is False}
    assert wrong == {"store", "Telegram", "articles", "settings"}
    assert "does not accept COROLLARY_TELEGRAM_TOKEN" in found["Telegram"]["told"]
    assert "bad.md" in found["articles"]["told"]
    assert "s3cret" not in json.dumps(found)
    ran = built("doctor", MODEL_DIR=str(tmp_path / "no-model"))
    assert ran.code == 1
    assert "FAIL embedding model: " in ran.told() + ran.out
    assert "ok   database: " in ran.out


def test_a_damaged_store_is_built_anew_from_the_articles(
    corollary: InProcess, folder: Path
) -> None:
    served = {"ARTICLES_DIR": str(folder), "SERVE_UNDER_REVIEW": "true"}
    question = "Does pulsed dye laser clear warts?"
    assert corollary("ask", question, **served).code == 0
    for file in files_of_build(corollary.data):
        file.write_bytes(b"")
    again = corollary("ask", question, **served)
    assert again.code == 0
    assert "Building anew from the articles that it keeps." in again.told()
    assert "66% of 40 patients" in again.out


def test_what_does_not_end_is_broken_off() -> None:
    hangs = (
        "import time; from bot.cli_shared import leave_within; leave_within(0.1); time.sleep(60)"
    )
    ended = subprocess.run([sys.executable, "-c", hangs], capture_output=True, timeout=30)
    assert (ended.returncode, ended.stderr) == (0, b"Something does not end, and is broken off.\n")
