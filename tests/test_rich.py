"""Rich messages: what they look like, and what is sent to a server that takes none."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from botapi import BotApi, Call, Fault, ResetAfter, Sent, Status
from doors import Bot, bot_over, ends_with_disclaimer, settled
from richhtml import Block, RichError, parse_rich

from bot.app import Program
from bot.render import Message, Paragraph, Style, plain, telegram
from bot.rich import rich

QUESTION = "Does topical timolol work for infantile hemangioma?"
LINK = "https://pubmed.example/?a=1&b=2"


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


def kinds(sent: Sent) -> list[str]:
    """What an answer is made of."""
    assert sent.rich is not None
    return [block.kind for block in sent.rich.blocks]


# ------------------------------------------------------------------- what it looks like

ANSWER = Message(
    (
        Paragraph("Read as: <timolol>", Style.READ_AS),
        Paragraph("Awaiting review.", Style.CAUTION),
        Paragraph("From the research", Style.HEADING),
        Paragraph("p < 0.05 & so on [1].\nSecond line.", Style.BULLET),
        Paragraph("Another [2].", Style.BULLET),
        Paragraph("Plain.\n\nWords."),
        Paragraph("Sources", Style.HEADING),
        Paragraph("[1] Trial. PMID 7", Style.SOURCE, LINK, "PMID 7"),
        Paragraph("[2] Cohort.", Style.SOURCE),
        Paragraph("You could ask", Style.HEADING),
    )
)


def test_headings_lists_and_sources_are_blocks_and_the_disclaimer_is_the_last() -> None:
    (html,) = rich(ANSWER, "The\nend.")
    assert html is not None
    shown = parse_rich(html)
    assert shown.blocks == [
        Block("p", "Read as: <timolol>"),
        Block("p", "⚠️ Awaiting review."),
        Block("heading", "From the research"),
        Block("ul"),
        Block("li", "p < 0.05 & so on [1].\nSecond line."),
        Block("li", "Another [2]."),
        Block("p", "Plain.\n\nWords."),
        Block("details"),
        Block("summary", "Sources"),
        Block("p", "[1] Trial. PMID 7"),
        Block("p", "[2] Cohort."),
        Block("heading", "You could ask"),
        Block("footer", "The\nend."),
    ]
    assert shown.links == [LINK]


def test_it_says_what_the_ordinary_message_says() -> None:
    sources = [Paragraph(f"[{n}] Trial {n}. " + "word " * 40, Style.SOURCE) for n in range(60)]
    many = Message((Paragraph("Sources", Style.HEADING), *sources))
    for message in (ANSWER, many):
        parts = rich(message, "End.")
        assert len(parts) == len(telegram(message, "End."))
        shown = [parse_rich(html or "").text for html in parts]
        assert all(text.endswith("\nEnd.") for text in shown)
        told = "".join(text.removesuffix("End.") for text in shown)
        ordinary = plain(message, "End.").removesuffix("End.").replace(LINK, "")
        assert "".join(told.split()) == "".join(ordinary.replace("• ", "").split())
    assert len(rich(many, "End.")) > 1


def test_what_gains_nothing_by_it_or_is_too_much_for_it_stays_as_it_is() -> None:
    assert rich(Message((Paragraph("Welcome."), Paragraph("x", Style.BULLET))), "End.") == [None]
    lines = [Paragraph("x", Style.BULLET) for _ in range(200)]
    (html,) = rich(Message((Paragraph("Many", Style.HEADING), *lines)), "End.")
    assert html is None


@pytest.mark.parametrize(
    "html",
    ["words", "<p>x", "<p>x</b></p>", "<p><p>x</p></p>", "<div>x</div>", "<ul>x</ul>", "<li>x</li>",
     "<p>a < b</p>", "<p>&bull;</p>", "<details><p>x</p></details>", "<p onclick=\"x\">x</p>",
     "<b><p>x</p></b>", "<p></p>", "<p>x</p>" * 501, "<blockquote>" * 17],
)  # fmt: skip
def test_the_stand_in_is_strict(html: str) -> None:
    with pytest.raises(RichError):
        parse_rich(html)


# ------------------------------------------------------------------- the running bot


async def answered(api: BotApi, bot: Bot, number: int, *questions: str) -> list[Sent]:
    """What somebody gets to see."""
    person = api.private(number)
    for question in questions or (QUESTION,):
        person.say(question)
    await settled(api, bot)
    return api.sent_to(number)


def tried(api: BotApi) -> list[Call]:
    return api.calls_of("sendRichMessage")


async def test_unless_it_is_wanted_nothing_is_rich(program: Program, api: BotApi) -> None:
    async with bot_over(program, api) as bot:
        (sent,) = await answered(api, bot, 9201)
    assert sent.kind == "message"
    assert not tried(api)


async def test_an_answer_is_rich_and_has_its_buttons(program: Program, api: BotApi) -> None:
    async with bot_over(program, api, telegram_rich=True) as bot:
        (sent,) = await answered(api, bot, 9202)
        assert {"heading", "ul", "li", "details", "summary"} <= set(kinds(sent))
        assert kinds(sent)[-1] == "footer"
        assert sent.text.endswith(f"\n{program.disclaimer.text}")
        more = next(data for text, data in sent.buttons if text == "More")
        up = next(data for _, data in sent.buttons if data.startswith("up:"))
        person = api.private(9202)
        person.press(sent, up)
        person.press(sent, more)
        await settled(api, bot)
        person.say("and ECG screening?", sent)
        await settled(api, bot)
        assert len(sent.versions) == 2, "the thumb that was pressed is not ticked"
        assert len(api.sent_to(9202)) == 3
        assert api.sent_to(9202)[-1].text.startswith("Read as: ECG screening")


async def test_in_a_group_it_is_a_reply_in_its_topic(program: Program, api: BotApi) -> None:
    async with bot_over(program, api, telegram_rich=True) as bot:
        group, ada = api.group(-9203, "Ward 3", topic_thread=7), api.member(9203)
        group.say(ada, f"@{api.username} {QUESTION}")
        await settled(api, bot)
        (sent,) = api.sent_to(group.chat_id, 7)
    assert (sent.kind, sent.reply_to) == ("rich", group.last_message_id)


async def test_an_edited_question_has_its_answer_sent_anew_as_an_ordinary_message(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api, telegram_rich=True) as bot:
        person = api.private(9204)
        person.say(QUESTION)
        asked = person.last_message_id
        await settled(api, bot)
        person.edit(asked, "Does propranolol work for infantile hemangioma?")
        await settled(api, bot)
        rich_one, ordinary = api.sent_to(9204)
    assert (rich_one.kind, ordinary.kind) == ("rich", "message")
    ends_with_disclaimer(ordinary, program.disclaimer.text)


NOT_TAKEN = [
    Status(404, "Not Found: method not found"),
    Status(400, "Bad Request: can't parse rich message"),
]


@pytest.mark.parametrize("fault", NOT_TAKEN)
async def test_a_server_that_takes_none_is_asked_once_and_everybody_is_answered(
    fault: Fault, program: Program, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail_next("sendRichMessage", fault, times=99)
    caplog.set_level(logging.INFO, "corollary.telegram")
    async with bot_over(program, api, telegram_rich=True) as bot:
        for number in (9205, 9206):
            (sent,) = await answered(api, bot, number)
            assert sent.kind == "message"
            assert sent.buttons
            ends_with_disclaimer(sent, program.disclaimer.text)
    assert len(tried(api)) == 1
    told = [r.getMessage() for r in caplog.records if "rich messages" in r.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("this server takes no rich messages, replies are ordinary ones: ")


async def test_a_chat_that_takes_no_message_says_nothing_of_rich_ones(
    program: Program, api: BotApi
) -> None:
    closed = Status(400, "Bad Request: TOPIC_CLOSED")
    for method in ("sendRichMessage", "sendMessage"):
        api.fail_next(method, closed, times=99, chat_id=9210)
    async with bot_over(program, api, telegram_rich=True) as bot:
        assert await answered(api, bot, 9210) == []
        (sent,) = await answered(api, bot, 9211)
    assert sent.kind == "rich"


async def test_what_befalls_a_rich_message_befalls_it_as_any_other(
    program: Program, api: BotApi
) -> None:
    api.fail_next("sendRichMessage", Status(502, "Bad Gateway"), chat_id=9207)
    api.fail_next("sendRichMessage", ResetAfter(), chat_id=9208)
    api.fail_next("sendRichMessage", Status(403, "Forbidden: bot was blocked"), chat_id=9209)
    async with bot_over(program, api, telegram_rich=True) as bot:
        found = await asyncio.gather(*(answered(api, bot, n) for n in (9207, 9208, 9209)))
    once, twice, never = found
    assert [sent.kind for sent in once] == ["rich"]
    assert {sent.kind for sent in twice} == {"rich"}
    assert never == []
