"""Each reader is spoken to in their language, in Telegram and in the console, and in no other."""

import ast
import gettext
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages import Catalog
from botapi import BotApi, RetryAfter, Status
from conftest import settings_for
from doors import Bot, InProcess, TelegramDoor, bot_over, process, settled
from telegram import Bot as TelegramBot
from telegram import BotCommandScopeAllGroupChats, BotCommandScopeDefault

import prompts
from bot import admin_commands, commands, corrections, languages, menus, words
from bot.app import Program
from bot.render import plain
from bot.words import ENGLISH, LANGUAGES, speaking, tr
from store.article import Article
from store.conversations import Database
from store.errors import DatabaseProblem
from store.people import language_of, set_language
from store.records import CorrectedQuote, Correction
from store.turn import Role
from tools import catalogue

HEMANGIOMA = "Does topical timolol work for infantile hemangioma?"
GERMAN = "Die Artikel werden in ihrer eigenen Sprache zitiert."
ENDS_IN_GERMAN = "übernimmt keine Haftung für Entscheidungen, die auf dieser Antwort beruhen."
ENDS_IN_ENGLISH = "accepts no liability for decisions based on this reply."


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


def door_of(
    program: Program, api: BotApi, bot: Bot, number: int, code: str = "en", language: str = ""
) -> TelegramDoor:
    """The chat of somebody whose Telegram speaks `code`, and who reads replies in `language`."""
    person = api.private(number, language_code=code)
    return TelegramDoor(program, api, bot, person, language or words.matching(code) or ENGLISH)


# ------------------------------------------------------------------- which language


async def test_telegram_tells_the_language_until_one_is_chosen(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        german = door_of(program, api, bot, 8101, "de-AT")
        reply = await german.say(HEMANGIOMA)
        assert "Aus den Leitlinien" in reply.text
        assert GERMAN in reply.text
        assert "Quellen\n[1] " in reply.text
        assert (await language_of(program.database, "telegram:8101"))[0] is None

        english = TelegramDoor(program, api, bot, german.person)
        chosen = await english.say("/language en")
        assert chosen.text == "The language is English."
        assert "From the guidelines" in (await english.say(HEMANGIOMA)).text
        assert (await language_of(program.database, "telegram:8101"))[0] == "en"

        pressed = await german.press("lang:de")
        assert pressed.text.startswith("Die Sprache ist Deutsch.\n\nAntworten zitieren")
        assert (await english.say("/language English")).text == "The language is English."
        again = await german.press("lang:auto")
        assert again.text.startswith("Die Sprache ist Deutsch.")
        assert (await language_of(program.database, "telegram:8101"))[0] is None


async def test_the_choice_survives_the_bot_and_is_each_reader_s_own(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        await door_of(program, api, bot, 8111, "en", "de").say("/language Deutsch")
        await door_of(program, api, bot, 8112, "de", "en").say("/language en")
    async with bot_over(program, api) as bot:
        assert GERMAN in (await door_of(program, api, bot, 8111, "en", "de").say(HEMANGIOMA)).text
        reply = await door_of(program, api, bot, 8112, "de", "en").say(HEMANGIOMA)
        assert "From the guidelines" in reply.text


async def test_readers_of_two_languages_are_answered_at_the_same_time(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        people = [api.private(8120 + n, language_code=("de", "en")[n % 2]) for n in range(8)]
        for person in people:
            for text in (HEMANGIOMA, "/context", "/nonsense", "What is the capital of France?"):
                person.say(text)
        await settled(api, bot)
    for person in people:
        said = api.texts(person.chat_id)
        assert len(said) >= 4
        ending = ENDS_IN_GERMAN if person.language_code == "de" else ENDS_IN_ENGLISH
        assert all(text.endswith(ending) for text in said)
        assert ("Was sich der Assistent gemerkt hat" in "".join(said)) is (
            person.language_code == "de"
        )


@pytest.mark.parametrize(("code", "first"), [("fr", 8131), ("", 8134), ("zh-hans", 8137)])
async def test_another_language_gets_the_one_that_is_set(
    code: str, first: int, program: Program, api: BotApi
) -> None:
    async with bot_over(program, api, language="de") as bot:
        assert (await door_of(program, api, bot, first, code, "de").say("/topic")).text.startswith(
            "Noch kein Thema."
        )
        assert (await door_of(program, api, bot, first + 1, "en").say("/topic")).text.startswith(
            "No to"
        )
    async with bot_over(program, api) as bot:
        reply = await door_of(program, api, bot, first + 2, code, "en").say("/topic")
        assert reply.text.startswith("No topic yet.")


async def test_what_is_no_language_is_told_with_those_there_are(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        door = door_of(program, api, bot, 8141)
        shown = await door.say("/language")
        assert shown.text.startswith("The language is English.")
        assert [data for _, data in shown.buttons] == ["lang:en", "lang:de", "lang:auto"]
        for wrong in ("klingon", "../de", "de; DROP TABLE users", "x" * 3000, "{language}"):
            told = await door.say(f"/language {wrong}")
            assert told.text.startswith(f"There is no language “{wrong[:32]}” here.")
            assert (await door.press(f"lang:{wrong[:50]}")).text.startswith("There is no language")
        assert (await language_of(program.database, "telegram:8141"))[0] is None


async def test_an_emergency_in_german_is_told_in_german(program: Program, api: BotApi) -> None:
    async with bot_over(program, api) as bot:
        door = door_of(program, api, bot, 8145, "de")
        assert (await door.say("Mein Patient atmet nicht mehr")).text.startswith(
            "🚨 Wenn dies ein Notfall ist: Wählen Sie jetzt die örtliche Notrufnummer"
        )
        told = await door.say("Ich will mich umbringen")
        assert told.text.startswith("🚨 Wenn sich jemand etwas antun könnte: Lassen Sie die Person")
        asked = await door.say("Hilft Timolol bei Hämangiomen?")
        assert "Verstanden werden nur Fragen auf Englisch." in asked.text or GERMAN in asked.text


async def test_a_reader_is_answered_when_their_choice_cannot_be_read(
    program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mute(database: Database, user_id: str) -> tuple[None, None]:
        raise DatabaseProblem("No answer.")

    monkeypatch.setattr(languages, "language_of", mute)
    async with bot_over(program, api) as bot:
        assert GERMAN in (await door_of(program, api, bot, 8151, "de").say(HEMANGIOMA)).text


async def test_long_replies_end_in_each_part_with_the_disclaimer_of_the_language(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        door = door_of(program, api, bot, 8161, "de")
        await door.say("/articles")
        await door.say("/article infantile-hemangioma")
        await door.say("/privacy")
        await door.say("Ω " * 1000)
    said = api.texts(8161)
    assert len(said) >= 4
    assert all(text.endswith(ENDS_IN_GERMAN) for text in said)


# ------------------------------------------------------------------- the console


def test_the_console_speaks_the_language_that_is_set_or_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    run = InProcess(monkeypatch, capsys, data)
    asked = run("ask", HEMANGIOMA, LANGUAGE="de")
    assert "Aus den Leitlinien" in asked.out
    assert asked.out.rstrip().endswith(ENDS_IN_GERMAN)
    told = json.loads(run("ask", HEMANGIOMA, "--json", LANGUAGE="de").out)
    assert told["text"].endswith(told["disclaimer"])
    assert told["disclaimer"].endswith(ENDS_IN_GERMAN)
    assert told["kind"] == "answered"
    assert told["sections"][0]["title"] == "From the guidelines", "for programs, as it was"
    lines = run("chat", stdin="/language de\n/topic\n")
    assert "Noch kein Thema." in lines.out
    assert "No topic yet" not in lines.out
    assert "Noch kein Thema." in run("chat", stdin="/topic\n").out
    assert "No topic yet" in run("chat", stdin="/language auto\n/topic\n").out
    bad = run("ask", HEMANGIOMA, LANGUAGE="fr")
    assert bad.code == 2
    assert "COROLLARY_LANGUAGE" in bad.told()


# ------------------------------------------------------------------- nothing untranslated

CONVERSATION: Sequence[str] = (
    "/start",
    "/help",
    "/articles",
    "/articles xyzzy",
    "/articles keloid",
    "/article",
    "/article no-such-article",
    "/topic",
    "/context",
    "/why",
    "sources",
    "/why",
    HEMANGIOMA,
    "and ECG screening?",
    "sources",
    "more",
    "more",
    "why?",
    "shorter",
    "/why",
    "/topic",
    "/context",
    "what about keloids?",
    "What is the five-year recurrence rate of keloids after pulsed dye laser?",
    "What about biofilm on implants in zebrafish?",
    "What is the capital of France?",
    "Should I give my patient topical timolol?",
    "My patient is not breathing after the laser, what do I do?",
    "I want to kill myself",
    "/why",
    "laser?",
    "?!",
    "keloid " * 400,
    "/article infantile-hemangioma",
    "/start a_pdl-exosomes",
    "/nonsense",
    "/role",
    "/privacy",
    "/language",
    "/language klingon",
    "/new",
)
STALE = "topic", "ask:999999:0", "probe:7:no-such", "nothing"


async def held(program: Program, api: BotApi, number: int, code: str) -> list[str]:
    """All that a reader of that language is told in a long conversation, without disclaimers."""
    told: list[str] = []
    async with bot_over(program, api) as bot:
        door = door_of(program, api, bot, number, code)
        for says in CONVERSATION:
            reply = await door.say(says)
            told += [reply.text, *(text for text, _ in reply.buttons)]
        told += [(await door.press(data)).text for data in STALE]
        for act in (door.person.send_sticker, door.person.send_photo):
            told.append((await door.after(act)).text)
    for access in ("allowlist", "invite"):
        invited = {"access": access, "invite_codes": "keloid-2026"}
        async with bot_over(program, api, **invited) as bot:
            door = door_of(program, api, bot, number + 1, code)
            told.append((await door.say("/start")).text)
    with speaking(code):
        told.append(plain(await corrections.worded(program, fallen(program)), "x"))
        told += [text for _, text in menus.menu(BotCommandScopeDefault())]
        told += [tr(menus.DESCRIPTION), tr(menus.SHORT_DESCRIPTION)]
    return told


def fallen(program: Program) -> Correction:
    """Statements that stand no more: of an article that is served, and of others."""
    from datetime import UTC, datetime

    at = datetime(2026, 3, 5, tzinfo=UTC)
    slugs = ["infantile-hemangioma", *(f"gone-{n}" for n in range(5))]
    items = tuple(
        CorrectedQuote(turn_id=n, article=slug, quoted_key=str(n), text=f"7{n}", asked_at=at)
        for n, slug in enumerate(slugs)
    )
    return Correction("telegram:1:1", "telegram:1", items)


async def test_a_german_conversation_has_no_english_of_the_catalogue(
    program: Program, api: BotApi
) -> None:
    told = "\n".join(await held(program, api, 8201, "de"))
    left = [text for text in pieces(catalogue.extracted()) if text in told]
    assert left == []
    german = catalogue.read(catalogue.po("de"), "de")
    seen = [text for text in said_in(german) if text in told]
    assert len(seen) > 60, "the conversation meets too few texts to say anything"


def pieces(of: Catalog) -> list[str]:
    """What stands between the fields of each text, where it is long enough to be recognised."""
    texts = [t for m in of if m.id for t in ((m.id,) if isinstance(m.id, str) else m.id)]
    return [p.strip() for t in texts for p in re.split(r"\{[^}]*\}", t) if len(p.split()) >= 3]


def said_in(of: Catalog) -> list[str]:
    said = [m.string or () for m in of if m.id]
    texts = [t for forms in said for t in ((forms,) if isinstance(forms, str) else forms)]
    return [p.strip() for t in texts for p in re.split(r"\{[^}]*\}", t) if len(p.split()) >= 2]


class Wide(gettext.NullTranslations):
    """A language whose every letter is wide, so that any other did not go through a catalogue."""

    def gettext(self, message: str) -> str:
        """The text in wide letters; fields stay."""
        return re.sub(r"\{[^}]*\}|[A-Za-z]", lambda m: m[0] if m[0][1:] else wide(m[0]), message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """As `gettext`, of the one or the other."""
        return self.gettext(msgid1 if n == 1 else msgid2)


def wide(letter: str) -> str:
    return chr(ord(letter) + 0xFEE0)


@pytest.fixture
def wide_language(monkeypatch: pytest.MonkeyPatch) -> str:
    """The code of the language of wide letters."""
    inner = words.catalogue
    monkeypatch.setitem(words.LANGUAGES, "xx", "ＸＸ")
    monkeypatch.setattr(words, "catalogue", lambda code: Wide() if code == "xx" else inner(code))
    return "xx"


async def test_every_letter_that_is_not_quoted_went_through_the_catalogue(
    program: Program, api: BotApi, wide_language: str
) -> None:
    told = await held(program, api, 8301, wide_language)
    quoted = await quotable(program, told)
    left: dict[str, str] = {}
    for text in told:
        rest = " ".join(text.split())
        for known in quoted:
            rest = rest.replace(known, " ")
        rest = re.sub(r"https?://\S+|“no-such[a-z-]*”|/[a-z]+( [a-z0-9-]+)?", " ", rest)
        rest = re.sub(r"\d{8}T\d{6}-[0-9a-f]{6}|gone-\d", " ", rest)  # builds; articles gone
        for word in re.findall(r"[A-Za-z]{2,}", rest):
            left.setdefault(word, rest[:300])
    for word in ALWAYS:
        left.pop(word, None)
    assert left == {}


ALWAYS = {"Corollary", "English", "Deutsch", "PMID", "DOI", "et", "al", "de", "en", "xx", "auto"}
ALWAYS |= {role.value for role in Role}
"""Names, and what stands or is typed in every language alike."""
CODES = {"no_statement", "not_in_store", "not_spoken_of", "needs_patient", "self_harm", "no_topic"}
"""What receipts name by its code."""


async def quotable(program: Program, told: Sequence[str]) -> list[str]:
    """All that a reply may quote, longest first: of articles, of the reader, of set pages; and how
    a question was read, in its own words."""
    found: set[str] = {*CONVERSATION, *CODES, "xyzzy", "klingon"}
    found |= set(re.findall(rf"{Wide().gettext('Read as: ')}(.*)", "\n".join(told)))
    for name in ("help", "privacy"):
        values = {v: Wide().gettext("Corollary's operator") for v in prompts.VARIABLES[name]}
        found |= set(prompts.load(name, **values).split("\n\n"))
    for article in await program.assistant.articles():
        found |= set(of_article(article))
        found.add(f" — {article.topic}")
    back = len(Wide().gettext("Back to "))
    found |= {f[:n].rstrip(" ,;:") + "…" for f in found for n in range(20, 40 - back)}
    shortened = {f[:n].rstrip(" ,;:") + "…" for f in found for n in range(25, min(len(f), 40))}
    spaced = {" ".join(f.split()) for f in found | shortened}
    return sorted((f for f in spaced if len(f) > 3), key=len, reverse=True)


def of_article(article: Article) -> Iterator[str]:
    yield from (article.title, article.topic, article.slug, *article.aliases, article.notice or "")
    for section in article.sections:
        yield section.heading or ""
        for s in section.statements:
            yield from re.split(r" ?\[\d[\d, ]*\]", s.text)
            yield s.text
    yield from (c.text for c in article.conflicts)
    yield from (p.question for p in article.answerable)
    for r in article.references:
        yield from (r.title, *r.authors, r.journal or "", r.doi or "", r.accession or "")


# ------------------------------------------------------------------- literals in the code

NOT_SPOKEN = {
    "__main__", "admin", "admin_commands", "alerts", "app", "cli_articles", "cli_ground",
    "cli_people", "cli_shared", "cli_turns", "digest", "doctor", "long_commands", "polling",
    "reports", "settings", "webhook", "worker",
}  # fmt: skip
"""The modules whose texts are for admins and operators; those of all others are for readers."""
SPOKEN = sorted({path.stem for path in (catalogue.ROOT / "bot").glob("*.py")} - NOT_SPOKEN)
NOT_FOR_READERS = {
    "render.py": {"bold cyan", "bold yellow", "bold red", "italic dim", "<blockquote expandable>"},
    "commands.py": {"Corollary", "do:new", "do:articles", "do:role"},
    "receipts.py": {
        "The reader is told the same.",
        "The answer differs.",
        "(only here) ",
        "Answer ",
        ", asked again",
        "Then",
        "Now",
    },
    "menus.py": {
        "the name",
        "any language",
        "the command menu (",
        "the description (",
        "the short description (",
    },
    "background.py": {"what runs besides"},
    "requests.py": {"not found"},
    "outgoing.py": {
        "chat not found",
        "user not found",
        "thread not found",
        "not known",
        "not enough rights",
        "have no rights",
        "user is deactivated",
        "not modified",
        "parse entities",
    },
    "privacy.py": {"corollary-my-data.json", "forget:yes"},
    "voting.py": {"no topic", "Comments", "on answer ", " more: `corollary feedback`."},
    "words.py": {"English", "Deutsch"},
}
"""Errors of programming, looks, what is written into the log, what Telegram says, what admins get,
and `corollary turns replay`."""


@pytest.mark.parametrize("name", SPOKEN)
def test_texts_for_readers_are_in_the_catalogue(name: str) -> None:
    path = catalogue.ROOT / "bot" / f"{name}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    taken = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name | ast.Attribute)
        and (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) in NOT_SAID
        for inner in ast.walk(node)
    }
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    raised = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise | ast.Assert)
        for inner in ast.walk(node)
    }
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for kind in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if kind is not None
        for inner in ast.walk(kind)
    }
    found = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in taken | docs | raised | annotations
        and re.search(r"[A-Za-z]{2,}[ ,.:]+[A-Za-z(“]|^[A-Z][a-z]+ ?[a-z]*[.:]?$", node.value)
    }
    patterns = {text for text in found if re.search(r"\\[sbdwS]|\(\?", text)}
    names = {"Text", "Person", "et al", " et al."}
    assert found - patterns - names - NOT_FOR_READERS.get(path.name, set()) == set()


NOT_SAID = {
    *catalogue.KEYWORDS,
    "info",
    "warning",
    "error",
    "debug",
    "getLogger",
    "compile",
    "log_fault",
}


# ------------------------------------------------------------------- what Telegram is told


def set_calls(api: BotApi) -> list[str]:
    return [c.method for c in api.calls if c.method.startswith("setMy")]


@pytest.fixture
async def told_bot(api: BotApi) -> AsyncIterator[TelegramBot]:
    async with TelegramBot(api.token, api.base_url) as bot:
        yield bot


def with_settings(program: Program, **values: object) -> Program:
    return replace(program, settings=settings_for(program.settings.data_dir, **values))


async def test_telegram_is_told_once_and_then_only_what_changed(
    program: Program, api: BotApi, told_bot: TelegramBot
) -> None:
    named = with_settings(program, bot_name="Ward 7 articles")
    await menus.introduce(told_bot, named)
    first = set_calls(api)
    assert first.count("setMyName") == 1
    assert api.profile("name") == "Ward 7 articles"
    assert api.profile("description").startswith("Answers follow-up questions")
    assert api.profile("description", "de").startswith("Beantwortet Folgefragen")
    assert api.profile("short_description", "de").startswith("Folgefragen zu gepr")
    for code, start in (("", "what this is"), ("en", "what this is"), ("de", "worum es hier geht")):
        shown = api.commands(language_code=code)
        assert [c["command"] for c in shown] == list(commands.COMMANDS)
        assert shown[0]["description"] == start
        grouped = api.commands({"type": "all_group_chats"}, code)
        assert "start" not in [c["command"] for c in grouped]
        assert "articles" in [c["command"] for c in grouped]

    await menus.introduce(told_bot, named)
    assert set_calls(api) == first, "told again what Telegram had"

    await menus.introduce(told_bot, with_settings(program, bot_name="Ward 8"))
    assert set_calls(api) == [*first, "setMyName"]
    await menus.introduce(told_bot, program)
    assert set_calls(api) == [*first, "setMyName"]
    assert api.profile("name") == "Ward 8", "without the setting the name is left alone"

    await menus.introduce(told_bot, with_settings(program, language="de"))
    assert api.commands()[0]["description"] == "worum es hier geht"
    assert api.commands(language_code="en")[0]["description"] == "what this is"


async def test_admins_see_their_commands_and_others_do_not(
    program: Program, api: BotApi, told_bot: TelegramBot
) -> None:
    api.private(8401)
    await set_language(program.database, "telegram:8401", "de")
    # The other one has never started the bot: Telegram refuses a menu for them.
    await menus.introduce(told_bot, with_settings(program, admin_ids=(8402, 8401)))
    shown = api.commands({"type": "chat", "chat_id": 8401})
    names = [*commands.COMMANDS, *admin_commands.COMMANDS]
    assert [c["command"] for c in shown] == names
    assert shown[0]["description"] == "worum es hier geht"
    assert not set(admin_commands.COMMANDS) & {c["command"] for c in api.commands()}


@pytest.mark.filterwarnings("ignore:.*retry_after.*:DeprecationWarning")
@pytest.mark.parametrize(
    "fault", [RetryAfter(86_000), Status(404, "Not Found"), Status(500, "x"), Status(400, "x")]
)
async def test_what_telegram_refuses_is_left(
    fault: RetryAfter | Status, program: Program, api: BotApi, told_bot: TelegramBot
) -> None:
    for method in ("setMyName", "setMyDescription", "getMyShortDescription", "setMyCommands"):
        api.fail_next(method, fault, times=99)
    await menus.introduce(told_bot, with_settings(program, bot_name="Ward 7"))
    assert api.profile("name") == ""
    assert api.profile("description", "de") == ""
    assert [c.method for c in api.calls].count("setMyName") == 1, "tried again at once"
    api.clear_faults()
    await menus.introduce(told_bot, with_settings(program, bot_name="Ward 7"))
    assert api.profile("name") == "Ward 7"
    assert len(api.commands()) == len(commands.COMMANDS)


def test_the_bot_listens_though_telegram_takes_no_menu(data: Path) -> None:
    with BotApi() as api:
        for method in ("setMyCommands", "getMyCommands", "getMyDescription", "getMyName"):
            api.fail_next(method, Status(404, "Not Found"), times=99)
        given = {"TELEGRAM_TOKEN": api.token, "TELEGRAM_BASE_URL": api.base_url}
        given |= {"BOT_NAME": "Ward 7", "ACCESS": "open", "LANGUAGE": "de"}
        with process(data, "telegram", **given) as bot:
            bot.wait_for(lambda: "is listening" in bot.err)
            person = api.private(8411, language_code="fr")
            person.say("/topic")
            bot.wait_for(lambda: api.texts(8411))
            assert api.texts(8411)[0].startswith("Noch kein Thema.")
            assert api.texts(8411)[0].endswith(ENDS_IN_GERMAN)


async def test_the_menu_of_a_chat_follows_the_language_that_is_chosen(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api, admin_ids=(8422,)) as bot:
        reader, admin = (door_of(program, api, bot, n, "en", "de") for n in (8421, 8422))
        await reader.say("/language de")
        await admin.say("/language de")
        own = api.commands({"type": "chat", "chat_id": 8421})
        assert own[0]["description"] == "worum es hier geht"
        assert len(own) == len(commands.COMMANDS)
        assert len(api.commands({"type": "chat", "chat_id": 8422})) > len(own)
        back = TelegramDoor(program, api, bot, reader.person)
        await back.press("lang:auto")
        assert api.commands({"type": "chat", "chat_id": 8421})[0]["description"] == "what this is"


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_telegram_is_told_fits(code: str) -> None:
    with speaking(code):
        assert len(tr(menus.DESCRIPTION)) <= 512
        assert len(tr(menus.SHORT_DESCRIPTION)) <= 120
        for scope in (BotCommandScopeDefault(), BotCommandScopeAllGroupChats()):
            assert all(1 <= len(text) <= 256 for _, text in menus.menu(scope, is_admin=True))


async def test_what_is_for_admins_is_english(program: Program, api: BotApi) -> None:
    async with bot_over(program, api, admin_ids=(8431,)) as bot:
        door = door_of(program, api, bot, 8431, "de")
        assert "Befehle" in (await door.say("/help")).text
        assert "build" in (await door.say("/builds")).text.lower()
    assert languages.AUTOMATIC not in LANGUAGES
