"""How answers came about, by the command; what admins are told when the model fails."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chatapi import ChatApi, Status, faithful
from doors import InProcess
from writers import answering, written_by

from bot.alerts import ModelAlerts
from bot.app import Program
from bot.render import Message, plain

QUESTION = "are injected exosomes safe?"
MODEL = "openai:test-model"


@pytest.fixture
def corollary(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> InProcess:
    """Runs the command over the samples, built, in an empty folder."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return InProcess(monkeypatch, capsys, data)


@pytest.fixture
def api() -> Iterator[ChatApi]:
    """A chat model that writes what it was given."""
    with ChatApi() as found:
        found.script(answering(faithful))
        yield found


def model(api: ChatApi) -> dict[str, str]:
    return {
        "CHAT_MODEL": MODEL,
        "CHAT_MODEL_BASE_URL": api.base_url,
        "CHAT_MODEL_KEY": api.api_key,
    }


def test_an_answer_is_written_shown_and_put_again(corollary: InProcess, api: ChatApi) -> None:
    asked = json.loads(corollary("ask", QUESTION, "--json", **model(api)).out)
    assert asked["composer"] == "written"
    number = str(asked["turn"])

    shown = corollary("turns", "show", number)
    assert shown.code == 0
    assert MODEL in shown.out and QUESTION in shown.out and asked["build"] in shown.out
    assert shown.out.strip().endswith(asked["disclaimer"])
    whole = json.loads(corollary("turns", "show", number, "--json").out)
    assert whole["receipt"]["calls"] == 1
    assert whole["receipt"]["draft"]
    assert len(whole["receipt"]["prompt"]) == 64
    assert whole["answer"]["text_asked"] == asked["text_asked"]
    keys = {r["key"] for r in whole["receipt"]["retrieved"] if r["key"]}
    assert keys and all(r["score"] for r in whole["receipt"]["retrieved"])

    same = corollary("turns", "replay", number, "--json", **model(api))
    assert same.code == 0
    assert json.loads(same.out)["same"] is True
    quoted = corollary("turns", "replay", number, "--no-model", "--json", **model(api))
    assert quoted.code == 1
    then, now = json.loads(quoted.out)["then"], json.loads(quoted.out)["now"]
    assert (then["composer"], now["composer"]) == ("written", "quoted")
    assert set(then["sources"]) <= set(now["sources"])
    text = corollary("turns", "replay", number, "--no-model", **model(api))
    assert "The answer differs." in text.out


def test_a_follow_up_is_put_again_in_its_context(corollary: InProcess) -> None:
    corollary("ask", QUESTION, "--conversation", "c")
    asked = json.loads(corollary("ask", "and topical ones?", "--conversation", "c", "--json").out)
    again = corollary("turns", "replay", str(asked["turn"]), "--build", asked["build"], "--json")
    assert again.code == 0, again
    told = json.loads(again.out)
    assert told["same"] and told["now"]["read_as"] == asked["read_as"]


def test_what_is_not_there_is_told(corollary: InProcess) -> None:
    for words in (("show", "999999"), ("replay", "999999")):
        ran = corollary("turns", *words)
        assert ran.code == 1
        assert "There is no answer 999999" in ran.told()
    asked = json.loads(corollary("ask", QUESTION, "--json").out)
    ran = corollary("turns", "replay", str(asked["turn"]), "--build", "no-such-build")
    assert ran.code == 2
    assert "no-such-build" in ran.told()
    ran = corollary("turns", "replay", "1", "--model", MODEL, "--no-model")
    assert ran.code == 2


def test_the_doctor_makes_one_call(corollary: InProcess, api: ChatApi) -> None:
    found = {f["subject"]: f for f in json.loads(corollary("doctor", "--json", **model(api)).out)}
    assert found["chat model"]["works"] is True
    assert len(api.calls) == 1
    api.script(Status(401))
    found = {f["subject"]: f for f in json.loads(corollary("doctor", "--json", **model(api)).out)}
    assert found["chat model"]["works"] is False
    assert "refuses the key" in found["chat model"]["told"]
    assert len(api.calls) == 2


def test_keys_of_providers_are_read_from_the_env_file(
    corollary: InProcess, api: ChatApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    Path(".env").write_text(
        f"COROLLARY_CHAT_MODEL={MODEL}\nCOROLLARY_CHAT_MODEL_BASE_URL={api.base_url}\n"
        f"OPENAI_API_KEY={api.api_key}\n"
    )
    try:
        asked = json.loads(corollary("ask", QUESTION, "--json").out)
        assert asked["composer"] == "written"
    finally:
        os.environ.pop("OPENAI_API_KEY", None)


def test_a_model_whose_package_is_missing_says_how_to_install_it(corollary: InProcess) -> None:
    ran = corollary("ask", QUESTION, CHAT_MODEL="mistralai:any")
    assert ran.code == 2
    assert "COROLLARY_CHAT_MODEL=mistralai:any" in ran.told()


class Sender:
    """Notes what it is to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []

    async def __call__(self, chat_id: int, told: Message) -> bool:
        self.sent.append((chat_id, plain(told, "D")))
        return True


async def test_admins_are_told_once_an_hour_that_the_model_fails(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed: list[str] = []

    async def claim_day(what: str, day: object) -> bool:
        claimed.append(what)
        return True

    async with written_by(program, Status(402), admin_ids="5,6") as writing:
        monkeypatch.setattr(writing.program.database, "claim_day", claim_day)
        sender, now = Sender(), [10_000.0]
        alerts = ModelAlerts(writing.program, sender, lambda: now[0])
        await alerts.look()
        assert sender.sent == []
        for n in range(3):
            await writing.program.assistant.ask(f"alert{n}", QUESTION, "test")
            await alerts.look()
        assert [to for to, _ in sender.sent] == [5, 6]
        assert "no credit is left" in sender.sent[0][1]
        assert writing.api.api_key not in sender.sent[0][1] or len(writing.api.api_key) < 6
        now[0] += 3601
        await writing.program.assistant.ask("alert9", QUESTION, "test")
        await alerts.look()
        assert len(sender.sent) == 4


async def test_of_several_processes_one_tells(program: Program) -> None:
    async with written_by(program, Status(402), admin_ids="7") as writing:
        await writing.program.assistant.ask("alert-two", QUESTION, "test")
        one, two = Sender(), Sender()
        await ModelAlerts(writing.program, one).look()
        await ModelAlerts(replace(writing.program), two).look()
        assert len(one.sent) + len(two.sent) == 1
