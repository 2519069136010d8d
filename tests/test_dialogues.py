"""The same dialogues through the console and through Telegram: one contract, the same words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count

import pytest
from botapi import BotApi, Fault, Status
from chatapi import fluent
from doors import Bot, ConsoleDoor, Reply, TelegramDoor, bot_over, cited, listed, settled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from writers import written_by

from bot.app import Program
from bot.commands import COMMANDS, card
from bot.render import EMERGENCY, MAX_DATA_BYTES, NEXT, SELF_HARM
from store.turn import Kind

_numbers = count(1000)


@dataclass
class Doors:
    """A conversation with the same person at both doors."""

    console: ConsoleDoor
    telegram: TelegramDoor

    async def say(self, text: str) -> Reply:
        """The reply that both give."""
        return _same(await self.console.say(text), await self.telegram.say(text))

    async def press(self, label: str, reply: Reply) -> Reply:
        """The reply to the button of that label; the numbers of the turns differ by door."""
        at = [text for text, _ in reply.buttons].index(label)
        console, telegram = self._buttons
        return _same(
            await self.console.press(console[at][1]), await self.telegram.press(telegram[at][1])
        )

    async def forge(self, data: str) -> Reply:
        """The reply to button data that nobody offered."""
        return _same(await self.console.press(data), await self.telegram.press(data))

    async def ask(self, text: str) -> Reply:
        """As `say`, with the buttons of each door kept for `press`."""
        console, telegram = await self.console.say(text), await self.telegram.say(text)
        self._buttons = (console.buttons, telegram.buttons)
        return _same(console, telegram)

    _buttons: tuple[tuple[tuple[str, str], ...], ...] = ()


def _same(console: Reply, telegram: Reply) -> Reply:
    """The reply, when it is the same at both doors and keeps the contract of every reply."""
    assert console.words() == telegram.words()
    assert [text for text, _ in console.buttons] == [text for text, _ in telegram.buttons]
    for reply in (console, telegram):
        assert cited(reply.text) == listed(reply.text), "a citation without a source, or reverse"
        for text, data in reply.buttons:
            assert text.strip() and 1 <= len(data.encode()) <= MAX_DATA_BYTES
    return telegram


@dataclass
class Running:
    """A program, and its bot over a server, open to everybody."""

    program: Program
    api: BotApi
    bot: Bot


@asynccontextmanager
async def _running(program: Program) -> AsyncIterator[Running]:
    """At the end every text that left is looked at once more."""
    with BotApi() as api:
        async with bot_over(program, api) as bot:
            yield Running(program, api, bot)
            for text in api.outgoing_texts():
                assert text.text.endswith(program.disclaimer.text)
            assert not [call for call in api.calls if not call.ok]


@pytest.fixture(scope="module")
async def running(program: Program) -> AsyncIterator[Running]:
    """The bot that answers by quotation."""
    async with _running(program) as found:
        yield found


@pytest.fixture(scope="module")
async def writing(program: Program) -> AsyncIterator[Running]:
    """The bot whose answers a language model writes."""
    async with written_by(program, fluent) as written, _running(written.program) as found:
        yield found


Open = Callable[[], Doors]


@pytest.fixture
def doors(running: Running) -> Open:
    """Opens a conversation with somebody new."""
    return lambda: _opened(running)


@pytest.fixture
def written_doors(writing: Running) -> Open:
    """As `doors`, with answers that a model writes."""
    return lambda: _opened(writing)


def _opened(at: Running) -> Doors:
    number = next(_numbers)
    telegram = TelegramDoor(at.program, at.api, at.bot, at.api.private(number))
    return Doors(ConsoleDoor(at.program, f"dialogue-{number}"), telegram)


# ------------------------------------------------------------------------------ dialogues

NOT_COVERED = "No vetted statement answers this"
OUT_OF_SCOPE = "This is outside what this assistant covers"
CAUTION = "⚠️ Awaiting human review"
KELOIDS = "Does adding pulsed dye laser to triamcinolone and 5-FU help in keloids?"
HEMANGIOMA = "Does topical timolol work for infantile hemangioma?"

Dialogue = list[tuple[str, tuple[str, ...]]]
"""What the clinician says, and pieces of the reply."""

DIALOGUES: dict[str, Dialogue] = {
    "a question and its follow-ups": [
        (KELOIDS, (CAUTION, "From the research", "75% with both plus pulsed dye laser", "[1]")),
        ("and recurrence?", ("Read as: recurrence — Pulsed dye laser for hypertrophic scars",)),
        ("sources", ("Sources", "[1]")),
        ("shorter", ("[1]",)),
    ],
    "a new topic, and back by name": [
        (KELOIDS, ("Sources",)),
        (HEMANGIOMA, ("Topic changed from “Pulsed dye laser for hyp", "timolol", "Sources")),
        ("and ECG screening?", ("Read as: ECG screening — Infantile hemangioma", "ECG")),
        ("/topic pdl-scars-keloids", ("pulsed dye laser", "Review: submitted › [under review]")),
        ("and recurrence?", ("Read as: recurrence — Pulsed dye laser for hypertrophic scars",)),
    ],
    "what the articles do not say": [
        (
            "What is the five-year recurrence rate of keloids after pulsed dye laser?",
            (NOT_COVERED, "Nearest: “What is the role of pulsed dye laser", "You could ask"),
        ),
    ],
    "not a medical question": [
        ("What is the capital of France?", (OUT_OF_SCOPE, NEXT[Kind.OUT_OF_SCOPE])),
        ("How do I repair a bicycle?", (OUT_OF_SCOPE,)),
    ],
    "an emergency": [
        (KELOIDS, ("Sources",)),
        ("My patient is not breathing after the laser, what do I do?", (EMERGENCY,)),
    ],
    "self-harm": [("I want to kill myself", (f"🚨 {SELF_HARM}", EMERGENCY))],
    "an order for one patient": [
        ("/article infantile-hemangioma", ("How should infantile hemangioma be treated",)),
        (
            "Should I give my patient topical timolol?",
            ("A decision or prescription for one patient stays with", "timolol", "Sources"),
        ),
    ],
    "an act without an answer to act on": [
        ("why?", ("There is no previous answer to act on", "Next: ask a question first")),
        ("yes", ("There is no previous answer to act on",)),
        ("/sources", ("There is no previous answer to act on",)),
    ],
    "what is remembered": [
        ("/context", ("Nothing is remembered yet",)),
        ("/topic", ("No topic yet",)),
        (HEMANGIOMA, ("timolol",)),
        ("/context", ("Topic: “Infantile hemangioma”", HEMANGIOMA)),
        ("/topic", ("How should infantile hemangioma be treated",)),
        ("/new", ("The context is forgotten",)),
        ("/context", ("Nothing is remembered yet",)),
    ],
    "commands as people type them": [
        ("/HELP", ("Commands", "/articles –")),
        ("/articles keloid", ("Articles (1)", "/article pdl-scars-keloids")),
        ("/articles no-such-word", ("No article matches “no-such-word”",)),
        ("/article\npdl-exosomes", ("Can pulsed dye laser therapy be combined",)),
        ("/article   pdl-exosomes  ", ("Can pulsed dye laser therapy be combined",)),
        ("/start a_pdl-exosomes", ("Can pulsed dye laser therapy be combined",)),
        ("/start a_no-such-article", ("There is no article “no-such-article” here",)),
        ("/topic no-such-article", ("There is no article “no-such-article” here",)),
        ("/nonsense and more", ("There is no command /nonsense. /help lists",)),
        ("/", ("The question has no words",)),
    ],
    "questions that are none": [
        (" ", ("The question has no words",)),
        ("👍👩‍⚕️🏽", ("The question has no words",)),
        ("?!…", ("The question has no words",)),
        ("\u202e\u2066\u200f", ("The question has no words",)),
        ("\x00\x07\x1b[", ("The question has no words",)),
        ("keloid " * 2858, ("The question has 20,0", "at most 2,000 are read")),
    ],
}


@pytest.mark.parametrize("name", DIALOGUES)
async def test_a_dialogue_goes_the_same_way_at_both_doors(name: str, doors: Open) -> None:
    both = doors()
    for says, expected in DIALOGUES[name]:
        reply = await both.say(says)
        for piece in expected:
            assert piece in reply.text, f"{says!r} was answered: {reply.text}"


@pytest.mark.parametrize("name", DIALOGUES)
async def test_a_dialogue_goes_the_same_way_when_a_model_writes(
    name: str, written_doors: Open
) -> None:
    both = written_doors()
    for says, expected in DIALOGUES[name]:
        reply = await both.say(says)
        for piece in expected:
            assert piece in reply.text, f"{says!r} was answered: {reply.text}"


ODD = {
    "right to left": "האם לייזר מועיל לקלואידים?",
    "mixed directions": "keloid \u202eresal\u202c ליזר?",
    "markup": "<b>keloid</b> & <script>alert(1)</script> <a href='http://x.example'>laser</a>?",
    "markdown": "*keloid* _laser_ [link](http://x.example) `code` ||spoiler||",
    "a lone surrogate": "keloid \ud800 laser",
    "control characters": "keloid\x00\x1b[31m laser\x7f\u0085 recurrence",
    "a link": "https://x.example/keloid?a=1&b=2 says what?",
    "format placeholders": "{operator} %s ${HOME} keloid {0}",
    "a disclaimer of their own": "keloid\n\nProfessional disclaimer. Not needed.",
    "one long word": "keloid" + "x" * 1900,
    "2,000 characters": ("keloid laser recurrence " * 84)[:2000],
}


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_question_gets_one_reply_at_both_doors(name: str, doors: Open) -> None:
    both, text = doors(), ODD[name]
    said = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    replies = [await both.console.say(text), await both.telegram.say(said)]
    for reply in replies:
        assert cited(reply.text) == listed(reply.text)
        assert not set(reply.text) & {"\x00", "\x1b", "\x7f", "\u202e", "\ud800"}
    assert "http://x.example" not in both.telegram.links()


@pytest.mark.parametrize("args", ["", "pdl-exosomes", "no-such", "<i>&amp;", "a_", "z" * 4000])
# What is kept of a person comes as a file in Telegram only.
@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"export"}))
async def test_every_command_gets_one_reply_at_both_doors(
    command: str, args: str, doors: Open
) -> None:
    reply = await doors().say(f"/{command} {args}".strip())
    assert reply.text


async def test_a_question_that_two_articles_fit_is_asked_back_and_then_answered(
    doors: Open,
) -> None:
    for choose in ("button", "number"):
        both = doors()
        asked = await both.ask("pulsed dye laser")
        assert "Which of these do you mean?" in asked.text
        assert len(asked.buttons) > 1
        label = asked.buttons[1][0]
        chosen = await (both.press(label, asked) if choose == "button" else both.say("2"))
        assert "Sources" in chosen.text or NOT_COVERED in chosen.text
        assert f"Topic: “{label.rstrip('…')}" in (await both.say("/context")).text


async def test_every_button_that_is_offered_works(doors: Open) -> None:
    both = doors()
    pressed = 0
    for says in (KELOIDS, HEMANGIOMA, "What is the capital of France?", "/articles", "/topic"):
        offering = await both.ask(says)
        for label, data in offering.buttons:
            if data.startswith("up:"):  # it is ticked, and nothing is said: see test_voting.py
                continue
            reply = await both.press(label, offering)
            assert "out of date" not in reply.text
            pressed += 1
    assert pressed > 15


async def test_the_way_back_leads_to_the_topic_before(doors: Open) -> None:
    both = doors()
    await both.say(KELOIDS)
    await both.say(HEMANGIOMA)
    forged = await both.forge("topic:pdl-scars-keloids")
    assert "What is the role of pulsed dye laser" in forged.text
    assert "Read as: recurrence — Pulsed dye laser" in (await both.say("and recurrence?")).text


FORGED = [
    "x", "topic:", "topic:no-such", "topic:../../etc/passwd", "topic:<b>", "topic:pdl-exosomes:1",
    "ask:", "ask:1", "ask:1:", "ask:1:0", "ask:999999999:0", "ask:99999999999:0", "ask:-1:0",
    "ask:1:-1", "ask:1:99", "ask:٣:0", "ask:1:٣", "ask:1e3:0", "probe:", "probe:0:",
    "probe:0:no-such", "probe:9:pdl-exosomes", "probe:-1:pdl-exosomes", "probe:x:pdl-exosomes",
    "start:", "a:b:c:d", ":", "::", "topic", "\x00", "topic:\x00", "ask:1:0' OR 1=1 --", "é" * 32,
]  # fmt: skip


async def test_forged_button_data_gets_one_harmless_reply(doors: Open) -> None:
    both = doors()
    await both.say("/start")
    for data in FORGED:
        reply = await both.forge(data)
        assert reply.text.startswith(("That button is out of date", "There is no article"))


async def test_nobody_can_press_the_buttons_of_another_conversation(doors: Open) -> None:
    hers, his = doors(), doors()
    offered = await hers.telegram.say(KELOIDS)
    await his.telegram.say("/start")
    reply = await his.telegram.press(offered.buttons[0][1])
    assert "out of date" in reply.text


async def test_random_button_data_gets_one_reply(program: Program) -> None:
    door = ConsoleDoor(program, "random-buttons")
    words = st.sampled_from(["ask", "topic", "probe", "0", "1", "2", "pdl-exosomes", "", "\n"])
    made = st.one_of(st.text(max_size=64), st.lists(words, max_size=5).map(":".join))
    shown = []

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(made)
    def collect(data: str) -> None:
        shown.append(data)

    collect()
    for data in shown:
        assert (await door.press(data)).text


# ------------------------------------------------------------------- only in Telegram


async def test_only_text_is_read(doors: Open) -> None:
    door = doors().telegram
    only = "Only typed questions are read"
    assert only in (await door.after(door.person.send_sticker)).text
    assert "Pictures are not looked at" in (await door.after(door.person.send_photo)).text
    captioned = await door.after(lambda: door.person.send_photo(KELOIDS))
    assert "The words beside it were not read either" in captioned.text
    album = [{"file_id": "P1", "file_unique_id": "UP1", "width": 9, "height": 9}]

    def send_album() -> int:
        numbers = [door.person.send(photo=album, media_group_id="album") for _ in range(3)]
        return numbers[-1]

    assert (await door.after(send_album)).text.count("Pictures are not looked at") == 1
    file = ("labs.pdf", b"%PDF-1.7")
    sent = await door.after(lambda: door.person.send_document(*file))
    assert "Files are not opened here" in sent.text
    assert "only typed questions" in (await door.after(lambda: door.person.send(voice=VOICE))).text
    assert only in (await door.after(lambda: door.person.send(location=PLACE))).text


VOICE = {"file_id": "V1", "file_unique_id": "UV1", "duration": 2}
PLACE = {"latitude": 52.5, "longitude": 13.4}


async def test_an_edited_question_is_answered_again_in_the_place_of_its_answer(
    doors: Open, running: Running
) -> None:
    door = doors().telegram
    api, bot = running.api, running.bot
    await door.say("What is the capital of France?")
    number, chat = door.person.last_message_id, door.person.chat_id
    (shown,) = api.sent_to(chat)
    door.person.edit(number, HEMANGIOMA)
    await settled(api, bot)
    (edited,) = api.sent_to(chat)
    assert edited.message_id == shown.message_id
    assert "timolol" in edited.text and "outside what this" not in edited.text
    followed = await door.say("and ECG screening?")
    assert "Read as: ECG screening — Infantile hemangioma" in followed.text
    door.person.edit(number, KELOIDS)
    await settled(api, bot)
    assert "75% with both plus pulsed dye laser" in api.sent_to(chat)[0].text
    assert len(api.sent_to(chat)) == 2


@pytest.mark.parametrize("fault", [Status(404, "Not Found"), Status(401, "Unauthorized")])
async def test_an_answer_that_cannot_be_changed_is_sent_anew(
    fault: Fault, program: Program
) -> None:
    async with alone(program) as (api, door):
        await door.say("What is the capital of France?")
        api.fail_next("editMessageText", fault)
        number = door.person.last_message_id
        changed = await door.after(lambda: door.person.edit(number, HEMANGIOMA))
        assert "timolol" in changed.text
        # Which is then the one that is changed.
        door.person.edit(number, KELOIDS)

        def changed_again() -> bool:
            return "75% with both plus" in api.sent_to(door.person.chat_id)[-1].text

        await asyncio.to_thread(api.wait_for, changed_again)
        assert len(api.sent_to(door.person.chat_id)) == 2


async def test_a_command_for_another_bot_is_not_answered(doors: Open, running: Running) -> None:
    door = doors().telegram
    api, bot = running.api, running.bot
    door.person.say("/help@another_bot")
    await settled(api, bot)
    assert not api.sent_to(door.person.chat_id)
    assert "Commands" in (await door.say(f"/help@{api.username.upper()}")).text


async def test_a_button_too_old_to_acknowledge_is_answered_all_the_same(program: Program) -> None:
    async with alone(program) as (api, door):
        offered = await door.say(KELOIDS)
        old = "Bad Request: query is too old and response timeout expired or query ID is invalid"
        api.fail_next("answerCallbackQuery", Status(400, old))
        reply = await door.press(offered.buttons[0][1])
        assert "fault on our side" not in reply.text
        assert "Sources" in reply.text or NOT_COVERED in reply.text


async def test_a_button_under_a_message_that_telegram_forgot_works(program: Program) -> None:
    async with alone(program) as (api, door):
        offered = await door.say(KELOIDS)
        forgotten = {"message_id": 1, "date": 0, "chat": {"id": 7, "type": "private"}}
        query = {"id": "70", "from": door.person.json(), "chat_instance": "7"}
        query |= {"data": offered.buttons[0][1], "message": forgotten}
        reply = await door.after(lambda: api.push({"callback_query": query}))
        assert "Sources" in reply.text or NOT_COVERED in reply.text


@asynccontextmanager
async def alone(program: Program) -> AsyncIterator[tuple[BotApi, TelegramDoor]]:
    """A bot of one's own, to break something in."""
    with BotApi() as api:
        async with bot_over(program, api) as bot:
            yield api, TelegramDoor(program, api, bot, api.private(7))


async def test_an_article_with_the_longest_slug_still_opens(program: Program) -> None:
    article = await program.assistant.article("pdl-exosomes")
    opened = card(program, replace(article, slug="s" * 58))
    assert all(len(b.data.encode()) <= MAX_DATA_BYTES for b in opened.buttons)
    assert any("clinical trial" in p.text for p in opened.paragraphs)
