"""`corollary ground`: whether the sentences of any model are supported by what they cite."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli_shared import FOUND_WRONG, settings_in_force
from bot.receipts import in_words
from store.errors import AnswersProblem

if TYPE_CHECKING:
    from chains.grounding import Verdict

MAX_BYTES = 5_000_000
MAX_ID_CHARS = 300
"""What stands in one bracket of an answer is read up to this."""
FORM = (
    'One answer is {"passages": [{"id": "p1", "text": "..."}], "answer": "... [p1]."}; '
    "`corollary ground --help` has an example."
)
NO_ADVICE = (
    "This judges sentences against the passages that they cite. It is no medical advice, and "
    "says nothing about whether the passages are right."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer to judge, and the passages by id that it may cite."""

    where: str
    """Its place in a file of several ("line 3", "answer 3"); empty when it is alone."""
    passages: dict[str, str]
    answer: str


@click.command()
@click.argument("file")
@click.option("--json", "json_output", is_flag=True, help="Print the verdicts as JSON.")
def ground(file: str, json_output: bool) -> None:
    """Judge whether the sentences of an answer are supported by the passages they cite.

    FILE (- for standard input) has an answer with its passages, as JSON; or several, one a line
    or in an array. The answer cites a passage by its id in square brackets. Only the embedding
    model is needed: no articles, no chat model.

    Exit code 0: every sentence is supported; 1: some are not; 2: FILE cannot be judged.

    \b
    Examples:
      corollary ground answers.json
      corollary ground --json answers.jsonl
      echo '{"passages": [{"id": "p1", "text": "It faded in 36.4% of patients."}],
             "answer": "It faded in 63.6% of patients [p1]."}' | corollary ground -
    """
    asked, in_array = read_answers(_read(file))

    from bot.app import open_embeddings
    from chains.grounding import Evidence, Grounder

    grounder = Grounder(open_embeddings(settings_in_force())[0])
    judged: list[list[Verdict]] = []
    for one in asked:
        evidence = {key: Evidence(key, text) for key, text in one.passages.items()}
        verdicts = grounder.check_answer(one.answer, evidence)
        judged.append(verdicts)
        if not json_output:
            click.echo("\n".join(_shown(one, verdicts)))
        elif not in_array:
            click.echo(json.dumps(_dict(verdicts), ensure_ascii=False))
    every = [v for verdicts in judged for v in verdicts]
    right = sum(v.supported for v in every)
    if json_output and in_array:
        click.echo(json.dumps([_dict(v) for v in judged], ensure_ascii=False))
    elif not json_output:
        click.echo(f"{right} of {len(every)} sentences supported.\n\n{NO_ADVICE}")
    sys.exit(0 if right == len(every) else FOUND_WRONG)


def _dict(verdicts: "list[Verdict]") -> dict[str, Any]:
    return {
        "sentences": [
            {
                "text": v.text,
                "citations": list(v.citations),
                "supported": v.supported,
                "reason": in_words(v.reason, v.detail),
                "code": v.reason,
                "detail": v.detail,
            }
            for v in verdicts
        ]
    }


def _shown(one: Asked, verdicts: "list[Verdict]") -> Iterator[str]:
    if one.where:
        yield f"{one.where.capitalize()}:"
    for v in verdicts:
        cited = f" [{', '.join(v.citations)}]" if v.citations else ""
        yield _printable(f"{'ok  ' if v.supported else 'FAIL'}  {v.text}{cited}")
        yield _printable(f"      {in_words(v.reason, v.detail)}")
    yield ""


def _printable(text: str) -> str:
    """What an answer says must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


# ------------------------------------------------------------------- what is read


def _read(file: str) -> str:
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as e:  # ValueError: a path with a null byte
        raise AnswersProblem(
            f"{file} cannot be read: {getattr(e, 'strerror', None) or e}.",
            "Name a file that can be read, or - for standard input.",
        ) from e
    if len(raw) > MAX_BYTES:
        raise AnswersProblem(
            f"The input has more than {MAX_BYTES // 1_000_000} MB.",
            "Divide it into several files.",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise AnswersProblem(f"Line {line} is not UTF-8.", "Save the file as UTF-8.") from e


def read_answers(text: str) -> tuple[list[Asked], bool]:
    """The answers in the text, and whether they stand in an array; AnswersProblem says what is
    wrong with the first that cannot be judged."""
    if not text.strip():
        raise AnswersProblem("The input is empty.", FORM)
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > 1 and _is_object(lines[0][1]):
        return [_asked(_parsed(line, n), f"line {n}") for n, line in lines], False
    found = _parsed(text, 1)
    if not isinstance(found, list):
        return [_asked(found, "")], False
    if not found:
        raise AnswersProblem("The array has no answer.", FORM)
    return [_asked(one, f"answer {n}") for n, one in enumerate(found, 1)], True


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _parsed(text: str, first_line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as e:
        line = first_line + e.lineno - 1
        raise AnswersProblem(f"Line {line} is not JSON: {e.msg}, column {e.colno}.", FORM) from e
    except (ValueError, RecursionError) as e:  # a number of thousands of digits; nested too deeply
        raise AnswersProblem("The input is JSON that cannot be read.", FORM) from e


def _asked(found: Any, where: str) -> Asked:
    at = f"{where.capitalize()}: " if where else ""
    if not isinstance(found, dict):
        raise AnswersProblem(f"{at}an answer must be an object with passages and answer.", FORM)
    answer = _text(found, "answer", at)
    given = found.get("passages")
    if not isinstance(given, list) or not given:
        raise AnswersProblem(f"{at}`passages` is missing, empty or no array.", FORM)
    passages: dict[str, str] = {}
    for n, passage in enumerate(given, 1):
        of = f"{at}passage {n}: "
        if not isinstance(passage, dict):
            raise AnswersProblem(f"{of}it must be an object with id and text.", FORM)
        key = _id(passage, of)
        if key in passages:
            raise AnswersProblem(
                f"{of}the id {_short(key)} is there twice.", "Give every passage an id of its own."
            )
        passages[key] = _text(passage, "text", of)
    return Asked(where, passages, answer)


def _id(passage: dict[str, Any], at: str) -> str:
    given = passage.get("id")
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    key = _text(passage, "id", at).strip()
    if len(key) > MAX_ID_CHARS or re.search(r"[\[\]\n【】［］]", key):
        raise AnswersProblem(
            f"{at}the id {_short(key)} cannot be cited in brackets.",
            f"Use at most {MAX_ID_CHARS} characters, on one line and without brackets.",
        )
    return key


def _text(found: dict[str, Any], field: str, at: str) -> str:
    given = found.get(field)
    if not isinstance(given, str) or not given.strip():
        raise AnswersProblem(f"{at}`{field}` is missing, empty or no text.", FORM)
    # JSON can name half a character, which nothing can print.
    return given.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _short(key: str) -> str:
    return f"“{_printable(key if len(key) <= 40 else key[:40] + '…')}”"
