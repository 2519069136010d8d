"""Whoever was shown a statement that no longer stands is told so, once."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from articles import article_file
from botapi import BotApi, ResetBefore, Status
from doors import InProcess, Process, Ran, ends_with_disclaimer, process, settled
from keeping import COLLEAGUE, SENTENCE, WARTS, Chat, program_over, running, write
from telegram import Bot as TelegramBot
from telegram import Update

from bot import admin, corrections, outgoing
from bot.app import Program
from bot.corrections import Place, place_of, tell, tell_all, worded
from bot.handlers import person_of
from bot.render import Message, plain, reply
from bot.words import speaking
from store import conversations
from store.people import set_language
from store.records import CorrectedQuote, Correction

NEW = SENTENCE.replace("66%", "41%")
TOLD = "Correction: "


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


def put(folder: Path) -> None:
    """The articles as they are at first."""
    write(folder, "warts", title="Does pulsed dye laser clear warts?")
    write(folder, "rosacea")


@pytest.fixture(scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the articles of these tests are, and a store of them that nobody has used."""
    folder = tmp_path_factory.mktemp("corrections")
    (folder / "articles").mkdir()
    put(folder / "articles")
    async with program_over(folder, serve_under_review=True):
        return folder


@pytest.fixture
async def shown(built: Path, tmp_path: Path) -> AsyncIterator[Program]:
    """A program that serves what is under review."""
    put(built / "articles")
    async with program_over(built, tmp_path / "data", serve_under_review=True) as opened:
        yield opened


async def reload(program: Program, sentence: str | None) -> None:
    """The article on warts says this from now on, or is gone."""
    folder = program.settings.articles_dir
    assert folder is not None
    if sentence is None:
        (folder / "warts.md").unlink()
    else:
        write(folder, "warts", sentence, title="Does pulsed dye laser clear warts?")
    await admin.reload_now(program.desk, who="test", force=True)


async def ask(program: Program, conversation: str, user: str = "telegram:1") -> None:
    turn = await program.assistant.ask(conversation, WARTS, user)
    assert any("66%" in q.text for q in turn.quotes())


class Sender:
    """Notes what it is to send; it succeeds as often as it is told to."""

    def __init__(self, *succeeds: bool) -> None:
        self.sent: list[tuple[int, Message, int | None]] = []
        self._succeeds = list(succeeds)

    async def __call__(self, chat_id: int, message: Message, thread_id: int | None) -> bool:
        self.sent.append((chat_id, message, thread_id))
        return self._succeeds.pop(0) if self._succeeds else True


# ------------------------------------------------------------------------------ the places


@pytest.mark.parametrize(
    ("chat", "thread", "place"),
    [
        ({"id": 7, "type": "private"}, None, Place(7, None)),
        ({"id": -1005, "type": "supergroup", "title": "G"}, None, Place(-1005, None)),
        ({"id": -1005, "type": "supergroup", "title": "G"}, 12, Place(-1005, 12)),
    ],
)
def test_a_correction_goes_where_the_question_came_from(
    chat: dict[str, object], thread: int | None, place: Place
) -> None:
    said: dict[str, object] = {
        "message_id": 1,
        "date": 1,
        "chat": chat,
        "from": {"id": 7, "is_bot": False, "first_name": "Ada"},
        "text": "x",
    }
    if thread is not None:
        said |= {"message_thread_id": thread, "is_topic_message": True}
    update = Update.de_json({"update_id": 1, "message": said}, TelegramBot("1:x"))
    assert update is not None
    person = person_of(update)
    assert person is not None
    assert place_of(person.conversation_id) == place


@pytest.mark.parametrize(
    "other", ["console:7:7", "telegram:7", "telegram:x:7", "telegram:7.:7", "telegram:7:7 "]
)
def test_what_is_no_chat_of_telegram_has_no_place(other: str) -> None:
    assert place_of(other) is None


# ------------------------------------------------------------------------------ the words


def a_correction(*texts: str, article: str = "warts") -> Correction:
    at = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    items = [
        CorrectedQuote(article, text, at + timedelta(days=n), n, str(n))
        for n, text in enumerate(texts)
    ]
    return Correction("telegram:1:1", "telegram:1", tuple(items))


async def test_a_correction_says_what_no_longer_stands_and_what_there_is(shown: Program) -> None:
    told = await worded(shown, a_correction("One.", "Two " + "long " * 90, "One.", "4.", "5."))
    text = plain(told, shown.disclaimer.text)
    assert "Correction: 4 statements you were shown here no longer stand." in text
    assert "No longer stands (reply of 26 Nov 2026): “5.”" in text
    assert "No longer stands (reply of 24 Nov 2026): “One.”" in text
    assert "Two" not in text
    assert "And 1 more statement." in text
    assert "“Laser for warts”: the article was changed and is still served." in text
    assert [b.data for b in told.buttons] == ["topic:warts"]
    assert max(len(p.text) for p in told.paragraphs) < 250


async def test_a_correction_of_an_article_that_is_gone_offers_no_button(shown: Program) -> None:
    told = await worded(shown, a_correction("One.", article="gone"))
    text = plain(told, shown.disclaimer.text)
    assert (
        "Correction: 1 statement you were shown here no longer stands. Do not rely on it." in text
    )
    assert "“gone”: the article is not served any more." in text
    assert not told.buttons


@pytest.mark.parametrize(("n", "more"), [(3, ""), (4, " und 1 weiterer"), (5, " und 2 weitere")])
async def test_articles_beyond_the_third_are_counted(shown: Program, n: int, more: str) -> None:
    gone = [a_correction(f"{slug}.", article=slug).items[0] for slug in "abcde"[:n]]
    with speaking("de"):
        told = await worded(shown, Correction("telegram:1:1", "telegram:1", tuple(gone)))
    assert f"“{more}: Der Artikel steht nicht mehr bereit." in told.paragraphs[-1].text


# ------------------------------------------------------------------------------ telling


async def test_each_reader_is_told_once_wherever_they_asked(shown: Program) -> None:
    await ask(shown, "telegram:1:1")
    await ask(shown, "telegram:-5.12:1")
    await ask(shown, "console:ward")
    await shown.assistant.ask("telegram:3:3", "What about laser for rosacea?", "telegram:3")
    await reload(shown, NEW)
    one, other = Sender(), Sender()
    await asyncio.gather(
        *(tell(shown, sender, follows_s=0.0) for sender in (one, other, one, other))
    )
    assert sorted((c, t) for c, _, t in one.sent + other.sent) == [(-5, 12), (1, None)]
    assert await tell(shown, one, follows_s=0.0) == 0
    assert [c.conversation_id for c in await shown.database.untold("console:")] == ["console:ward"]


async def test_each_reader_is_told_in_their_language(shown: Program) -> None:
    await ask(shown, "telegram:1:1", "telegram:1")
    await ask(shown, "telegram:2:2", "telegram:2")
    await set_language(shown.database, "telegram:2", "de")
    await reload(shown, NEW)
    sender = Sender()
    await tell(shown, sender, follows_s=0.0)
    told = {chat: plain(what, shown.disclaimer.of(what)) for chat, what, _ in sender.sent}
    assert told[1].startswith("⚠️ Correction: 1 statement you were shown")
    assert told[2].startswith("⚠️ Korrektur: 1 Aussage, die Ihnen hier gezeigt wurde, gilt nicht")
    assert told[2].endswith(shown.disclaimer.others["de"])


async def test_who_chose_no_language_is_told_in_the_one_that_telegram_tells(
    shown: Program, api: BotApi
) -> None:
    ada = api.private(COLLEAGUE, language_code="de-AT")
    async with running(shown, api) as bot:
        ada.say(WARTS)
        await settled(api, bot)
    await reload(shown, NEW)
    sender = Sender()
    await tell(shown, sender, follows_s=0.0)
    ((_, told, _),) = sender.sent
    assert plain(told, "D.").startswith("⚠️ Korrektur: 1 Aussage, die Ihnen hier gezeigt wurde")


async def test_a_running_bot_calls_nothing_served_that_was_just_taken_away(shown: Program) -> None:
    await ask(shown, "telegram:1:1")
    await reload(shown, None)
    sender = Sender()
    await tell_all(shown, sender)
    ((_, told, _),) = sender.sent
    assert "not served any more" in plain(told, "D")


async def test_of_an_answer_that_stands_no_more_it_is_not_said_that_all_was_shown(
    shown: Program, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown.assistant._library, "_follow_s", 0.0)
    await ask(shown, "telegram:6:6")
    other = "## From the research\n\n- Flushing was less frequent after three months. [1, 2]\n"
    (built / "articles" / "rosacea.md").write_bytes(article_file(other, slug="rosacea"))
    await reload(shown, None)
    for says in ("sources", "shorter"):
        turn = await shown.assistant.ask("telegram:6:6", says, "telegram:6")
        text = plain(reply(turn), "D.")
        assert "No vetted statement answers this: what that answer quoted does not stand" in text


async def test_what_could_not_be_sent_is_sent_later(
    shown: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(shown, "telegram:1:1")
    await reload(shown, NEW)
    sender = Sender(False)
    assert await tell(shown, sender, follows_s=0.0) == 1
    assert await tell(shown, sender, follows_s=0.0) == 0, "it is left alone for a while"
    monkeypatch.setattr(conversations, "_TELLING", timedelta(0))
    assert await tell(shown, sender, follows_s=0.0) == 1
    assert await tell(shown, sender, follows_s=0.0) == 0
    assert len(sender.sent) == 2


async def test_the_running_bot_tells_and_survives_who_blocked_it(
    shown: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "EVERY_S", 0.05)
    monkeypatch.setattr(conversations, "_TELLING", timedelta(seconds=1))
    monkeypatch.setattr(outgoing, "ATTEMPTS", 1)
    async with running(shown, api, unasked=True) as bot:
        there = Chat(shown, api, bot, COLLEAGUE)
        assert "66%" in await there.say(WARTS)
        await ask(shown, "telegram:8001:8001", "telegram:8001")
        api.private(8001)
        blocked = Status(403, "Forbidden: bot was blocked by the user")
        api.fail_next("sendMessage", blocked, chat_id=8001)
        api.fail_next("sendMessage", ResetBefore(), chat_id=COLLEAGUE)
        await reload(shown, NEW)
        told = await there.ended(TOLD)
        assert "66%" in told
        assert [d for _, d in there.sent()[-1].buttons] == ["topic:warts"]
        assert "Does pulsed dye laser clear warts?" in await there.press("topic:warts")
        assert "41%" in await there.say("How often do warts clear after the laser?")
        await asyncio.sleep(1.5)
    assert len([s for s in there.sent() if TOLD in s.text]) == 1
    assert not api.sent_to(8001)
    assert not await shown.database.untold("telegram:")


async def test_a_setting_switches_it_off(
    shown: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "EVERY_S", 0.05)
    async with running(shown, api, unasked=True, corrections=False) as bot:
        there = Chat(shown, api, bot, COLLEAGUE)
        await there.say(WARTS)
        await reload(shown, NEW)
        await asyncio.sleep(0.5)
        assert len(there.sent()) == 1
    off = replace(shown, settings=shown.settings.model_copy(update={"corrections": False}))
    assert len(await off.database.untold("telegram:")) == 1


async def test_looking_when_there_is_nothing_costs_next_to_nothing(shown: Program) -> None:
    started = asyncio.get_running_loop().time()
    for _ in range(100):
        assert await tell(shown, Sender()) == 0
    assert asyncio.get_running_loop().time() - started < 2


# ------------------------------------------------------------------------------ as processes


def test_a_correction_reaches_a_person_once_across_processes(tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    write(articles, "warts", title="Does pulsed dye laser clear warts?")
    given = {"ARTICLES_DIR": str(articles), "SERVE_UNDER_REVIEW": "true", "ACCESS": "open"}

    def command(*args: str) -> Ran:
        with process(tmp_path, *args, **given) as running_one:
            return running_one.end(120.0)

    with BotApi() as api:
        ada = api.private(9001)
        server = {"TELEGRAM_TOKEN": api.token, "TELEGRAM_BASE_URL": api.base_url}

        def bot() -> Process:
            started = Process(tmp_path, "-v", "telegram", **given, **server)
            started.wait_for(lambda: "is listening" in started.err)
            return started

        running_bot = bot()
        try:
            ada.say(WARTS)
            (answer,) = api.wait_sent(ada.chat_id, 1, 60.0)
            assert "66%" in answer.text
            disclaimer = answer.text[answer.text.index("Professional disclaimer.") :]
            write(articles, "warts", NEW, title="Does pulsed dye laser clear warts?")
            reloaded = command("articles", "reload")
            assert reloaded.code == 0, reloaded
            _, told = api.wait_sent(ada.chat_id, 2, 30.0)
            assert TOLD in told.text
            ends_with_disclaimer(told, disclaimer)
            running_bot.popen.send_signal(signal.SIGTERM)
            assert running_bot.end(20.0).code == 0
        finally:
            running_bot.close()
        again = bot()
        try:
            ada.say("/context")
            api.wait_sent(ada.chat_id, 3, 30.0)
            again.popen.send_signal(signal.SIGTERM)
            assert again.end(20.0).code == 0
        finally:
            again.close()
        assert len([t for t in api.texts(ada.chat_id) if TOLD in t]) == 1
        assert WARTS not in running_bot.kept + again.kept


@pytest.fixture
def corollary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> InProcess:
    return InProcess(monkeypatch, capsys, tmp_path / "data")


def test_the_console_tells_its_own_conversation_before_anything_else(
    corollary: InProcess, tmp_path: Path
) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    write(articles, "warts", title="Does pulsed dye laser clear warts?")
    given = {"ARTICLES_DIR": str(articles), "SERVE_UNDER_REVIEW": "true"}
    for name in ("ward", "ward-2"):
        assert "66%" in corollary("chat", "--conversation", name, stdin=f"{WARTS}\n", **given).out
    write(articles, "warts", NEW, title="Does pulsed dye laser clear warts?")
    assert corollary("articles", "reload", **given).code == 0
    off = corollary("chat", "--conversation", "ward", stdin="/new\n", CORRECTIONS="false", **given)
    assert TOLD not in off.out
    as_json = corollary("chat", "--conversation", "ward", "--json", stdin="", **given)
    assert as_json.out == ""
    told = corollary("chat", "--conversation", "ward", stdin=f"{WARTS}\n", **given).out
    assert told.lstrip("⚠️ ").startswith(TOLD)
    assert told.index("Professional disclaimer.") < told.index(f"> {WARTS}")
    assert "41%" in told
    assert TOLD not in corollary("chat", "--conversation", "ward", stdin="/new\n", **given).out
    other = corollary("chat", "--conversation", "ward-2", stdin="/new\n", **given).out
    assert other.count(TOLD) == 1
