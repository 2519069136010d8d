"""`corollary ground`: the sentences of any answer against the passages that it cites.

The passages are invented.
"""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from doors import InProcess, Ran

from bot.cli_ground import MAX_BYTES
from bot.receipts import REASONS
from chains import grounding

FADED = "In a trial of 40 adults, redness faded in 36.4% after one pass."
OPEN = "An open study of 12 adults saw swelling in two."
GOOD = {"passages": [{"id": "p1", "text": FADED}], "answer": f"{FADED[:-1]} [p1]."}
BAD = {
    "passages": [{"id": "p1", "text": FADED}, {"id": "p2", "text": OPEN}],
    "answer": f"{FADED[:-1]} [p1]. Ulcers healed in all horses within nine days [p2].",
}


@pytest.fixture
def corollary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> InProcess:
    """Runs the command in an empty folder, with no store."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return InProcess(monkeypatch, capsys, tmp_path / "none-yet")


def written(text: str | bytes) -> str:
    """The name of a file with that text."""
    Path("answers.json").write_bytes(text.encode() if isinstance(text, str) else text)
    return "answers.json"


def sentences(ran: Ran) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ran.out)["sentences"]
    return found


def test_an_answer_that_its_passages_support_ends_with_0(corollary: InProcess) -> None:
    ran = corollary("ground", written(json.dumps(GOOD)))
    assert (ran.code, ran.told()) == (0, "")
    assert f"ok    {FADED} [p1]" in ran.out
    assert "1 of 1 sentences supported." in ran.out
    assert "no medical advice" in ran.out.splitlines()[-1]


def test_a_sentence_that_is_not_supported_is_named_and_ends_with_1(corollary: InProcess) -> None:
    ran = corollary("ground", written(json.dumps(BAD)))
    assert ran.code == 1
    assert [line[:4] for line in ran.out.splitlines() if "[p" in line] == ["ok  ", "FAIL"]
    assert "1 of 2 sentences supported." in ran.out


def test_programs_read_every_verdict(corollary: InProcess) -> None:
    ran = corollary("ground", "--json", "-", stdin=json.dumps(BAD))
    assert ran.code == 1
    first, second = sentences(ran)
    assert set(first) == {"text", "citations", "supported", "reason", "code", "detail"}
    assert (first["text"], first["citations"], first["supported"]) == (FADED, ["p1"], True)
    assert (second["citations"], second["supported"]) == (["p2"], False)
    assert second["code"] not in {"ok", "quotation"}
    assert second["reason"] != second["code"], "a code is told in words"


def test_what_a_sentence_cites_must_be_there(corollary: InProcess) -> None:
    none = {**GOOD, "answer": FADED}
    other = {**GOOD, "answer": f"{FADED[:-1]} [p7]."}
    (nothing,) = sentences(corollary("ground", "--json", "-", stdin=json.dumps(none)))
    (unknown,) = sentences(corollary("ground", "--json", "-", stdin=json.dumps(other)))
    assert (nothing["code"], nothing["reason"]) == ("no_citation", "cites nothing")
    assert unknown["code"] == "unknown_citation"
    assert unknown["reason"].startswith("cites what was not given")


@pytest.mark.parametrize("given", [1, 12, "12", "p1", "S417", " p1 "])
def test_an_id_is_any_word_or_number(given: Any, corollary: InProcess) -> None:
    key = str(given).strip()
    asked = {"passages": [{"id": given, "text": FADED}], "answer": f"{FADED[:-1]} [{key}]."}
    ran = corollary("ground", "--json", "-", stdin=json.dumps(asked))
    assert (ran.code, sentences(ran)[0]["citations"]) == (0, [key])


def test_answers_one_a_line_give_verdicts_one_a_line(corollary: InProcess) -> None:
    lines = f"{json.dumps(GOOD)}\n\n{json.dumps(BAD)}\r\n"
    ran = corollary("ground", "--json", "-", stdin=lines)
    assert ran.code == 1
    assert [len(json.loads(x)["sentences"]) for x in ran.out.splitlines()] == [1, 2]
    shown = corollary("ground", "-", stdin=lines).out
    assert "Line 1:" in shown and "Line 3:" in shown
    assert "2 of 3 sentences supported." in shown


def test_an_array_of_answers_gives_an_array(corollary: InProcess) -> None:
    ran = corollary("ground", "--json", "-", stdin=json.dumps([GOOD, BAD], indent=2))
    assert [len(one["sentences"]) for one in json.loads(ran.out)] == [1, 2]
    one = corollary("ground", "--json", "-", stdin=json.dumps([GOOD]))
    assert (one.code, len(json.loads(one.out))) == (0, 1)
    assert "Answer 2:" in corollary("ground", "-", stdin=json.dumps([GOOD, BAD])).out


def test_one_answer_may_stand_on_several_lines(corollary: InProcess) -> None:
    ran = corollary(
        "ground", "--json", "-", stdin=b"\xef\xbb\xbf" + json.dumps(GOOD, indent=1).encode()
    )
    assert (ran.code, len(sentences(ran))) == (0, 1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "The input is empty."),
        (" \n ", "The input is empty."),
        ('{"passages": [\n}', "Line 2 is not JSON"),
        (f"{json.dumps(GOOD)}\n{{oops\n", "Line 2 is not JSON"),
        (f"{json.dumps(GOOD)}\n[]\n", "Line 2: an answer must be an object"),
        ("12", "an answer must be an object"),
        ("[]", "The array has no answer."),
        ("[1]", "Answer 1: an answer must be an object"),
        ("{}", "`answer` is missing, empty or no text"),
        (json.dumps({**GOOD, "answer": " "}), "`answer` is missing, empty"),
        (json.dumps({**GOOD, "answer": 3}), "`answer` is missing, empty or no text"),
        (json.dumps({"answer": "x"}), "`passages` is missing, empty"),
        (json.dumps({**GOOD, "passages": []}), "`passages` is missing, empty"),
        (
            json.dumps({**GOOD, "passages": {"p1": FADED}}),
            "`passages` is missing, empty or no array",
        ),
        (json.dumps({**GOOD, "passages": ["x"]}), "passage 1: it must be an object"),
        (json.dumps({**GOOD, "passages": [{"id": "p1"}]}), "passage 1: `text` is missing"),
        (json.dumps({**GOOD, "passages": [{"text": "x"}]}), "passage 1: `id` is missing"),
        (json.dumps({**GOOD, "passages": [{"id": True, "text": "x"}]}), "passage 1: `id`"),
        (json.dumps({**GOOD, "passages": [{"id": "a]", "text": "x"}]}), "cannot be cited"),
        (
            json.dumps([GOOD, {**GOOD, "passages": [{"id": i, "text": "x"} for i in ("1", 1)]}]),
            "Answer 2: passage 2: the id “1” is there twice.",
        ),
        (b"\n\xff", "Line 2 is not UTF-8."),
        ("[" * 100_000, "cannot be read"),
        (f'{{"id": {"9" * 5000}}}', "cannot be read"),
        (" " * (MAX_BYTES + 1), "more than 5 MB"),
    ],
    ids=lambda x: repr(x)[:40],
)
def test_what_cannot_be_judged_is_told_and_ends_with_2(
    given: str | bytes, told: str, corollary: InProcess
) -> None:
    ran = corollary("ground", "-", stdin=given)
    assert (ran.code, ran.out) == (2, "")
    what, todo = ran.told().splitlines()
    assert what.startswith("Error: ") and told in what
    assert todo


def test_nothing_is_printed_before_the_whole_file_is_found_sound(corollary: InProcess) -> None:
    ran = corollary("ground", "--json", "-", stdin=f"{json.dumps(GOOD)}\n{{}}\n")
    assert (ran.code, ran.out) == (2, "")
    assert "Line 2: `answer` is missing" in ran.told()


@pytest.mark.parametrize("name", ["missing.json", ".", "nu\0ll"])
def test_a_file_that_cannot_be_read_is_told(name: str, corollary: InProcess) -> None:
    ran = corollary("ground", name)
    assert ran.code == 2
    assert "cannot be read" in ran.told() and len(ran.told().splitlines()) == 2


def test_a_missing_embedding_model_is_told(corollary: InProcess, tmp_path: Path) -> None:
    ran = corollary("ground", "-", stdin=json.dumps(GOOD), MODEL_DIR=str(tmp_path / "no-model"))
    assert (ran.code, ran.out) == (2, "")
    assert "no-model" in ran.told() and "model" in ran.told().splitlines()[0]


def test_no_store_is_made_for_it(corollary: InProcess) -> None:
    assert corollary("ground", "-", stdin=json.dumps(GOOD)).code == 0
    assert not corollary.data.exists()


def test_an_answer_cannot_steer_the_terminal_nor_break_the_output(corollary: InProcess) -> None:
    odd = {**GOOD, "answer": "Red\u001b[2Jness \u202e faded \ud800 in all [p1]."}
    ran = corollary("ground", "-", stdin=json.dumps(odd))
    assert ran.code == 1
    assert not {"\u001b", "\u202e"} & set(ran.out)
    assert sentences(corollary("ground", "--json", "-", stdin=json.dumps(odd)))


def test_help_has_an_example_that_runs(corollary: InProcess) -> None:
    help_text = corollary("ground", "--help").out
    start, end = help_text.index("echo '") + 6, help_text.index("' | corollary ground -")
    ran = corollary("ground", "--json", "-", stdin=help_text[start:end])
    assert len(sentences(ran)) == 1


def test_every_reason_of_the_check_is_told_in_words() -> None:
    modules = Path(str(grounding.__file__)).parent.glob("*.py")
    trees = [ast.parse(module.read_text(encoding="utf-8")) for module in modules]
    given = [
        call.args[0]
        for tree in trees
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Failed" and call.args
    ]
    codes = {c.value for first in given for c in ast.walk(first) if isinstance(c, ast.Constant)}
    assert {"number", "negation"} <= codes
    assert codes <= set(REASONS)
