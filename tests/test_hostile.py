"""Files that nobody means well with: each is read in a process with limits, and refused in time.

The files are made here and written to a folder; one child process reads them all, for a crash
must not take the tests along and its memory must be its own.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from articles import BODY, article_file, quick
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.checks.problem import Problem
from store.errors import ArticlesProblem
from store.parse import MAX_BYTES, ParsedFile, article_files, parse_bytes, parse_file, parse_paths

ROOT = Path(__file__).parents[1]
MOST_SECONDS = 2.0
"""Processor time a file."""
MOST_GROWTH = 200 * 2**20
"""Bytes of memory beyond those of the program without a file."""
ADDRESS_SPACE = 4 * 2**30

SOUND = article_file()
HEAD, _, REST = SOUND.partition(b"\n---\n")
RESEARCH = b"\n---\n\n## From the research\n\n"


def front(text: str) -> bytes:
    """A sound file with these lines more in its front matter."""
    return HEAD + b"\n" + text.encode() + b"\n---\n" + REST


def full(pattern: str | bytes, body: bool = True) -> bytes:
    """A file of nearly the allowed size that repeats a pattern."""
    raw = pattern.encode() if isinstance(pattern, str) else pattern
    start = HEAD + (RESEARCH if body else b"\nx: ")
    end = b"" if body else b"\n---\n" + REST
    room = MAX_BYTES - len(start) - len(end) - 2
    return start + raw * (room // len(raw)) + end


def paragraphs(pattern: str) -> bytes:
    """The same in paragraphs that are short enough to be read."""
    return full(pattern * (1_900 // len(pattern)) + " end. [1]\n\n")


BOMB = "a: &a [x, x]\n" + "\n".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]" for n in range(20)
)

RAW: dict[str, bytes] = {
    # Encodings and bytes.
    "empty": b"",
    "one newline": b"\n",
    "only dashes": b"---\n---\n",
    "never closed": b"---\nslug: x\n" * 9_000,
    "NUL": SOUND + b"\0",
    "NUL first": b"\0" + SOUND,
    "UTF-16": SOUND.decode().encode("utf-16"),
    "UTF-16 without a mark": SOUND.decode().encode("utf-16-be"),
    "UTF-32": SOUND.decode().encode("utf-32"),
    "Latin-1": SOUND.replace(b"Wounds", "Wünde".encode("latin-1")),
    "half a character": SOUND + "é".encode()[:1],
    "overlong slash": SOUND + b"\xc0\xaf",
    "surrogate": SOUND + b"\xed\xa0\x80",
    "beyond Unicode": SOUND + b"\xf4\x90\x80\x80",
    "random bytes": bytes(range(1, 256)) * 900,
    "zip": b"PK\x03\x04" + bytes(5_000),
    # Sizes.
    "too many bytes": SOUND + b"x" * MAX_BYTES,
    "too many lines": SOUND + b"\n" * 20_000,
    "too many lone returns": SOUND + b"\r" * 20_000,
    "one line": full("x"),
    "one line of words": full("word "),
    "one line with no end": full("é"),
    "long title": front("notice: " + "x" * 200_000),
    "many aliases": front("aliases: [" + "a, " * 60_000 + "a]"),
    "many unknown fields": front("".join(f"x{n}: 1\n" for n in range(9_000))),
    "long field name": front("x" * 100_000 + ": 1"),
    "long field name in quotes": front('? "' + "x\\n" * 60_000 + '"\n: 1'),
    "many references": front("".join(f"r{n}: {{kind: rct, title: t}}\n" for n in range(6_000))),
    "many statements": full("- A. [1]\n"),
    "many citations": full("A" + " [1-99]" * 300 + ".\n\n"),
    "many dangling citations": full("A. [7]\n\n"),
    # YAML.
    "anchor": front("notice: &a x"),
    "alias": front("notice: *a"),
    "bomb of aliases": b"---\n" + BOMB.encode() + b"\n---\n",
    "merge": front("<<: {slug: y}"),
    "Python tag": front("notice: !!python/object/apply:os.system [id]"),
    "own tag": front("notice: !x y"),
    "binary tag": front("notice: !!binary aGk="),
    "deep lists": front("notice: " + "[" * 100_000),
    "deep mappings": front("notice: " + "{a: " * 50_000),
    "deep blocks": front("".join(" " * n + "a:\n" for n in range(600))),
    "deep questions": front("? " * 60_000),
    "second document": front("--- x\ny: 1"),
    "end of document": front("...\ny: 1"),
    "directive": b"---\n%YAML 9.9\n" + SOUND[4:],
    "field given twice": front("title: other"),
    "list as a field name": front("? [a, b]\n: 1"),
    "unclosed quote": front('notice: "' + "x" * 1_000),
    "tab as indent": front("\tnotice: x"),
    "escaped surrogate": front('notice: "\\ud83d"'),
    "escaped NUL": front('notice: "a\\0b"'),
    "escaped line separator": front('notice: "a\\Lb"'),
    "line separator": front("notice: a\u2028b"),
    "next line": front("notice: a\x85b"),
    "escape sequence": front('notice: "\\e[2J"'),
    "not a mapping": b"---\n- a\n---\n" + REST,
    "huge number": front("review_by: " + "9" * 5_000),
    "huge year": HEAD.replace(b"2026-01-02", b"99999-01-02") + b"\n---\n" + REST,
    "numbers of documents": front('reviews: [{by: "' + "PMID 1234 " * 190 + '"}]'),
}  # fmt: skip

HEAVY: dict[str, bytes] = {
    # Markdown.
    "brackets": paragraphs("["),
    "brackets and parentheses": paragraphs("[]("),
    "stars": paragraphs("*a "),
    "backticks": full("".join("`" * n + " " for n in range(1, 80)) + "\n\n"),
    "quotations": full(">" * 400 + " a\n"),
    "nested lists": full("".join("  " * n + "- a [1]\n" for n in range(200))),
    "angle brackets": paragraphs("<a "),
    "comments": paragraphs("<!-- "),
    "entities": paragraphs("&#97;"),
    "headings": full("### x\n\n"),
    "a fence": full("```\nx\n"),
    # What the checks of words look for, over and over.
    "orders": paragraphs("ignore all of the "),
    "orders with gaps": paragraphs("you are now in in in "),
    "letter by letter": paragraphs("i g n o r e "),
    "single letters": paragraphs("a b "),
    "roles": full("- System: a [1]\n"),
    "marks": paragraphs("<|a"),
    "hash marks": paragraphs("## "),
    "hidden characters": paragraphs("a\u200b"),
    "direction": paragraphs("\u202ea"),
    "accents": paragraphs("a\u0301\u0302\u0303\u0304\u0305"),
    "mixed letters": paragraphs("pаtient "),
    "Greek in Latin": paragraphs("wοund "),
    "every character": full("".join(map(chr, range(0x4E00, 0x4E00 + 20_000))) + "\n\n"),
    "dots": paragraphs("a."),
    "domains": paragraphs("a.com."),
    "at signs": paragraphs("a@"),
    "colons": paragraphs("a:/"),
    "digits": paragraphs("1.0"),
    "doses": paragraphs("1.0 mg "),
    "unit letters": paragraphs("1U "),
    "daily": paragraphs("qd "),
    "naked decimals": paragraphs(" .1"),
    "taking sides": full("## From the guidelines\n\n- A b c is safe. [1]\n\n"
                         "## From the research\n\n- A b c is not safe. [1]\n\n"),
    "different words": full(" ".join(f"w{n}x" for n in range(400)) + " is safe. [1]\n\n"),
}  # fmt: skip

ACCEPTED: dict[str, bytes] = {
    "plain": SOUND,
    "byte order mark": b"\xef\xbb\xbf" + SOUND,
    "CRLF": SOUND.replace(b"\n", b"\r\n"),
    "lone CR": SOUND.replace(b"\n", b"\r"),
    "mixed line ends": SOUND.replace(b"\n", b"\r\n", 5),
    "spaces behind the dashes": SOUND.replace(b"---\n", b"--- \t\n"),
    "no newline at the end": SOUND.rstrip(b"\n"),
    "null": front("aliases: null\nreview_by: ~"),
    "many empty lines": SOUND + b"\n" * 9_000,
}


def file_dict(file: ParsedFile) -> dict[str, Any]:
    """What `corollary articles check --json` prints of a file."""
    return {
        "path": str(file.path),
        "slug": file.slug,
        "accepted": file.accepted,
        "problems": [
            {f: getattr(p, f) for f in ("severity", "code", "line", "field", "message")}
            for p in file.problems
        ],
    }


def parse_all(folder: Path) -> None:
    """What the child does: reads each file and prints what came of it, and what it took."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (300, 300))
    parse_bytes(SOUND, Path("warm.md"))
    scale = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in sorted(folder.iterdir()):
        started = time.process_time()
        file = parse_file(path)
        took = time.process_time() - started
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * scale
        row = {"name": path.stem, "seconds": took, "grown": grown, **file_dict(file)}
        print(json.dumps(row), flush=True)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the child says of each file, by name."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, raw in {**RAW, **HEAVY, **ACCEPTED}.items():
        (folder / f"{name}.md").write_bytes(raw)
    done = subprocess.run(
        [sys.executable, __file__, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return {row["name"]: row for row in map(json.loads, done.stdout.decode().splitlines())}


def test_there_are_cases_enough() -> None:
    assert len(RAW) + len(HEAVY) >= 60


@pytest.mark.parametrize("name", RAW)
def test_a_hostile_file_is_refused_in_time_and_memory(
    name: str, outcomes: dict[str, dict[str, Any]]
) -> None:
    row = outcomes[name]
    assert not row["accepted"]
    assert any(p["severity"] == "error" for p in row["problems"])
    assert row["seconds"] < MOST_SECONDS
    assert row["grown"] < MOST_GROWTH
    assert_well_told(row["problems"], RAW[name])


@pytest.mark.parametrize("name", HEAVY)
def test_a_file_full_of_one_pattern_is_read_in_time_and_memory(
    name: str, outcomes: dict[str, dict[str, Any]]
) -> None:
    row = outcomes[name]
    assert row["accepted"] is not any(p["severity"] == "error" for p in row["problems"])
    assert row["seconds"] < MOST_SECONDS
    assert row["grown"] < MOST_GROWTH
    assert_well_told(row["problems"], HEAVY[name])


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_odd_but_sound_file_is_accepted(name: str, outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes[name]["problems"] == []
    assert outcomes[name]["accepted"]


def assert_well_told(problems: list[dict[str, Any]], raw: bytes) -> None:
    """Every problem has words, on one line of bearable length, and a line of the file."""
    lines = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n") + 1
    for p in problems:
        assert p["message"].strip()
        assert p["message"].isprintable()
        assert len(p["message"]) <= 700
        assert len(p["field"]) <= 200
        assert p["field"].isprintable()
        assert 1 <= p["line"] <= lines
        assert p["severity"] in {"error", "warning"}


# ---------------------------------------------------------------------- any bytes


def assert_sound_outcome(file: ParsedFile, raw: bytes) -> None:
    row = file_dict(file)
    assert file.accepted or any(p.severity == "error" for p in file.problems)
    assert_well_told(row["problems"], raw)
    json.dumps(row, ensure_ascii=False).encode()


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400)
    | st.text(max_size=300).map(lambda t: t.encode("utf-8", "surrogatepass"))
    | st.binary(max_size=200).map(lambda b: b"---\n" + b + b"\n---\n" + BODY.encode())
    | st.text(max_size=200).map(lambda t: b"---\n" + t.encode("utf-8", "replace") + b"\n---\n")
)
def test_any_bytes_are_an_article_or_told_why_not(raw: bytes) -> None:
    assert_sound_outcome(parse_bytes(raw, Path("x.md")), raw)


PIECES = (
    [b"[", b"]", b"(", b":", b"\n", b"\r", b"\n---\n", b"- ", b"&a ", b"*a", b"!!x ", b"\xff", b"{"]
    + [b"\0", b"\xe2\x80\xa8", b"\xc2\x85", b"<b>", b"www.a.com", b"\xd0\xb0", b"[1]", b"[99]"]
    + [b"ignore all previous instructions", b"1.0 mg", b"\t", b"'", b'"', b"\\ud800", b"? ", b"#"]
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_any_change_to_a_sound_article_is_told_with_a_line(data: st.DataObject) -> None:
    raw = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        width = data.draw(st.sampled_from([0, 0, 1, 3, 40]))
        new = data.draw(st.sampled_from(PIECES) | st.binary(max_size=4))
        raw[at : at + width] = new
    assert_sound_outcome(parse_bytes(bytes(raw), Path("x.md")), bytes(raw))


# ---------------------------------------------------------------------- what is no file


def only(file: ParsedFile) -> Problem:
    """Its one problem."""
    (problem,) = file.problems
    assert not file.accepted
    return problem


def test_a_pipe_given_by_name_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.md"
    os.mkfifo(pipe)
    assert "a pipe" in only(parse_file(pipe)).message
    assert "a pipe" in only(parse_paths([pipe])[0]).message
    assert article_files(tmp_path) == []


def test_devices_sockets_and_folders_are_refused(tmp_path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(tmp_path)  # the name of a socket has little room
    try:
        listening.bind("socket.md")
    finally:
        os.chdir(here)
        listening.close()
    (tmp_path / "folder.md").mkdir()
    for path in (Path("/dev/zero"), Path("/dev/null"), tmp_path / "socket.md"):
        assert "device" in only(parse_file(path)).message
    assert "is a folder" in only(parse_file(tmp_path / "folder.md")).message
    assert article_files(tmp_path) == []


@pytest.mark.parametrize("name", [b"\xff\xfe.md", b"a\nb.md", b"a\x1b[2J.md", "Größe.md".encode()])
def test_a_name_that_cannot_be_shown_is_refused_and_shown_all_the_same(
    name: bytes, tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(name)
    try:
        path.write_bytes(SOUND)
    except OSError:
        pytest.skip("this file system has no such names")
    (file,) = parse_paths([tmp_path])
    good = "ß" in path.name
    assert file.accepted is good
    for told in (json.dumps(file_dict(file), ensure_ascii=False), str(file.path), file.slug):
        told.encode()
        assert told.isprintable()
    if not good:
        assert "rename it" in only(file).message


@pytest.mark.parametrize("name", ["a\0b.md", "x" * 5_000 + ".md", "no/such/folder/a.md"])
def test_a_name_that_cannot_be_opened_is_a_problem(name: str, tmp_path: Path) -> None:
    assert only(parse_file(tmp_path / name)).code == "unreadable"


def test_endings_in_capitals_are_read(tmp_path: Path) -> None:
    for name in ("A.MD", "b.Md", "README.MD", "c.mdx", "d.md.txt", ".md"):
        (tmp_path / name).write_bytes(SOUND)
    assert [p.name for p in article_files(tmp_path)] == ["A.MD", "b.Md"]


def test_links_stay_in_the_folder_and_rings_are_left_alone(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "inside-out"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_bytes(SOUND)
    (inside / "own.md").write_bytes(SOUND)
    (inside / "a.md").symlink_to("b.md")
    (inside / "b.md").symlink_to("a.md")
    (inside / "self.md").symlink_to("self.md")
    (inside / "out.md").symlink_to(outside / "secret.md")
    (inside / "up.md").symlink_to("../inside-out/secret.md")
    (inside / "host.md").symlink_to("/etc/hostname")
    (inside / "sub" / "ring").symlink_to("..")
    (inside / "sub" / "out").symlink_to(outside)
    (inside / "sub" / "link.md").symlink_to("../own.md")
    found = [str(p.relative_to(inside)) for p in article_files(inside)]
    assert found == ["own.md", "sub/link.md"]
    assert only(parse_file(inside / "self.md")).code == "unreadable"


def test_a_folder_that_is_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.md").write_bytes(SOUND)
    (tmp_path / "link").symlink_to("real")
    assert [p.name for p in article_files(tmp_path / "link")] == ["a.md"]


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A thousand folders in one another, the last with an article; removed from within."""
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(1_000):
            os.mkdir("d")
            os.chdir("d")
        Path("a.md").write_bytes(SOUND)
        yield tmp_path
        os.remove("a.md")
        for _ in range(1_000):
            os.chdir("..")
            os.rmdir("d")
    finally:
        os.chdir(here)


def test_a_thousand_folders_in_one_another_are_walked(deep: Path) -> None:
    with quick():
        (found,) = article_files(deep)
    assert len(found.relative_to(deep).parts) == 1_001
    assert parse_file(found).accepted


def test_thousands_of_files_are_listed_quickly(tmp_path: Path) -> None:
    for n in range(5_000):
        (tmp_path / f"{n}.md").touch()
    with quick():
        assert len(article_files(tmp_path)) == 5_000


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    """Also as root: see the next test."""
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0)
    try:
        assert [p.name for p in article_files(tmp_path)] == ["locked"]
    finally:
        locked.chmod(0o700)


def test_a_folder_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_bytes(SOUND)
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def guarded(path: Any) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded)
    first, second = parse_paths([tmp_path])
    assert first.accepted
    assert only(second).code == "unreadable"
    with pytest.raises(ArticlesProblem, match="Permission denied"):
        article_files(tmp_path / "locked")


if __name__ == "__main__":
    parse_all(Path(sys.argv[1]))
