"""What can be done with an answer: thumbs, comments, more of it, its sources, another topic."""

import json
from collections.abc import AsyncIterator
from functools import partial

import pytest
from botapi import BotApi, Sent
from doors import Bot, TelegramDoor, bot_over, settled

from bot import admin_commands, voting
from bot.admin_commands import Admin
from bot.app import Program
from bot.commands import Person
from bot.render import plain
from store.people import vote, votes

KELOIDS = "Does adding pulsed dye laser to triamcinolone and 5-FU help in keloids?"
HEMANGIOMA = "Does topical timolol work for infantile hemangioma?"


@pytest.fixture
async def running(program: Program) -> AsyncIterator[tuple[BotApi, Bot]]:
    with BotApi() as api:
        async with bot_over(program, api) as bot:
            yield api, bot
            for text in api.outgoing_texts():
                assert text.text.endswith(program.disclaimer.text)


def door_of(program: Program, running: tuple[BotApi, Bot], number: int) -> TelegramDoor:
    api, bot = running
    return TelegramDoor(program, api, bot, api.private(number))


def labels(sent: Sent) -> list[str]:
    return [text for text, _ in sent.buttons]


def data_of(sent: Sent, label: str) -> str:
    return next(data for text, data in sent.buttons if text == label)


async def pressed(running: tuple[BotApi, Bot], door: TelegramDoor, sent: Sent, data: str) -> None:
    door.person.press(sent, data)
    await settled(*running)


async def test_a_thumb_is_ticked_counted_once_and_can_be_changed(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    api, _ = running
    door = door_of(program, running, 67101)
    await door.say(HEMANGIOMA)
    (answer,) = api.sent_to(67101)
    text, before = answer.text, labels(answer)
    up, down = data_of(answer, "👍"), data_of(answer, "👎")
    for _ in range(2):
        await pressed(running, door, answer, up)
        (answer,) = api.sent_to(67101)
        assert labels(answer) == [t + " ✓" * (t == "👍") for t in before]
        assert answer.text == text
    number = int(up.partition(":")[2])
    (said,) = [v for v in await votes(program.database) if v.turn_id == number]
    assert (said.value, said.comment, said.question) == (1, "", HEMANGIOMA)

    await pressed(running, door, answer, down)
    answer, asked = api.sent_to(67101)
    assert "👎 ✓" in labels(answer) and "👍" in labels(answer)
    assert "What was wrong with that answer?" in asked.text
    told = await door.after(lambda: door.person.say("the  dose\nis missing", asked))
    assert "The comment was kept" in told.text
    (said,) = [v for v in await votes(program.database) if v.turn_id == number]
    assert (said.value, said.comment) == (-1, "the dose is missing")
    # It was a comment, not a question.
    recalled = await program.database.recall("telegram:67101:67101")
    assert [t.question for t in recalled.turns] == [HEMANGIOMA]


async def test_only_ones_own_answers_can_be_voted_on(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    api, _ = running
    door, other = door_of(program, running, 67111), door_of(program, running, 67112)
    await door.say(HEMANGIOMA)
    (answer,) = api.sent_to(67111)
    number = data_of(answer, "👍").partition(":")[2]
    await other.say(KELOIDS)
    for forged in (f"up:{number}", f"down:{number}", "up:999999", "up:x", "down:", "up:1:2"):
        told = (await other.press(forged)).text
        assert "not kept any more" in told or "out of date" in told
    assert not [v for v in await votes(program.database) if v.turn_id == int(number)]


async def test_in_a_group_the_buttons_of_an_answer_are_for_whom_it_was_given_to(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    api, bot = running
    group, ada, bob = api.group(-67115, "Ward 3", 4), api.member(67116), api.member(67117)
    group.say(ada, f"@{api.username} {HEMANGIOMA}")
    await settled(api, bot)
    (answer,) = api.sent_to(group.chat_id)
    assert len(answer.buttons) > 5
    for _, data in answer.buttons:
        group.press(bob, answer, data)
        await settled(api, bot)
        told = api.texts(group.chat_id)[-1]
        assert told.startswith("That answer was given to somebody else"), data
        assert f"@{api.username}" in told
    assert len(api.sent_to(group.chat_id)) == 1 + len(answer.buttons)
    group.press(ada, answer, data_of(answer, "Sources"))
    await settled(api, bot)
    assert "Sources" in api.texts(group.chat_id)[-1]


async def test_a_comment_can_be_typed_behind_a_command(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    door = door_of(program, running, 67121)
    assert "Nothing has been answered yet" in (await door.say("/feedback good")).text
    await door.say(HEMANGIOMA)
    assert "Type it behind the command" in (await door.say("/feedback")).text
    kept = await door.say("/feedback " + "very " * 700)
    assert "first 1000 characters of the comment were kept" in kept.text
    (said,) = [v for v in await votes(program.database) if v.user_id == "telegram:67121"]
    assert said.value == 0 and len(said.comment) == 1000


async def test_admins_see_counts_and_comments_and_never_who(program: Program) -> None:
    for i, (value, words) in enumerate([(1, None), (-1, "wrong laser"), (-1, "no doses")]):
        who = f"telegram:681300{i}"
        turn = await program.assistant.ask(who, HEMANGIOMA, who)
        assert turn.id is not None
        assert await vote(program.database, who, who, turn.id, value, words)
    admin = Admin(Person("telegram:1", "telegram:1:1"))
    told = await admin_commands.votes(program, admin, "1d")
    text = plain(told, program.disclaimer.text)
    assert "Feedback: " in text and "infantile-hemangioma: " in text
    assert "wrong laser" in text and "no doses" in text
    assert "81300" not in text
    as_json = json.dumps(voting.as_json(await votes(program.database)))
    assert "wrong laser" in as_json and "81300" not in as_json
    assert "Nobody said anything" in plain(
        await admin_commands.votes(program, admin, "2999-01-01"), program.disclaimer.text
    ) or "2999" in plain(
        await admin_commands.votes(program, admin, "2999-01-01"), program.disclaimer.text
    )


# ------------------------------------------------------------------------------ going on from it


async def test_a_reply_to_an_older_answer_goes_on_from_that(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    api, _ = running
    door = door_of(program, running, 67201)
    await door.say(HEMANGIOMA)
    await door.say(KELOIDS)
    first, second = api.sent_to(67201)
    told = await door.after(lambda: door.person.say("and ECG screening?", first))
    assert told.text.startswith("Read as: ECG screening — Infantile hemangioma")
    told = await door.after(lambda: door.person.say("and recurrence?", second))
    assert told.text.startswith("Read as: recurrence — Pulsed dye laser for hypertrophic scars")
    # A reply to a message that shows no answer is a question like any other.
    other = await door.say("/help")
    assert other.text
    told = await door.after(lambda: door.person.say("sources", api.sent_to(67201)[-1]))
    assert "Sources" in told.text


async def test_buttons_of_an_older_answer_act_on_that(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    api, _ = running
    door = door_of(program, running, 67211)
    await door.say(HEMANGIOMA)
    await door.say(KELOIDS)
    first, second = api.sent_to(67211)
    for label in ("More", "Sources"):
        data = data_of(first, label)
        told = await door.after(partial(door.person.press, first, data))
        assert "hemangioma" in told.text.lower()
        assert "keloid" not in told.text.lower()
    follow_up = first.buttons[0][1]
    told = await door.after(lambda: door.person.press(first, follow_up))
    assert "hemangioma" in told.text.lower()
    told = await door.after(lambda: door.person.press(second, data_of(second, "More")))
    assert "keloid" in told.text.lower()
    for forged in ("more:999999", "sources:x", "wrong:999999", "at:1:pdl-exosomes", "more:"):
        assert "out of date" in (await door.press(forged)).text


async def test_a_wrong_topic_is_put_right_with_two_taps(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    api, _ = running
    door = door_of(program, running, 67221)
    await door.say(KELOIDS)
    await door.say("How many sessions are needed for port-wine stains?")
    answer = api.sent_to(67221)[-1]
    told = await door.after(lambda: door.person.press(answer, data_of(answer, "Wrong topic?")))
    assert "which topic is meant?" in told.text
    assert 1 <= len(told.buttons) <= 4
    # What was under discussion before stands first.
    name, data = told.buttons[0]
    assert name.startswith("Pulsed dye laser for hypertrophic scars")
    assert data.endswith(":pdl-scars-keloids")
    put = await door.press(data)
    recalled = await program.database.recall("telegram:67221:67221")
    last = recalled.turns[-1]
    assert last.question == "How many sessions are needed for port-wine stains?"
    assert last.topic == "pdl-scars-keloids" or "Nearest" in put.text


async def test_a_question_that_another_article_is_nearer_to_is_put_to_that_with_one_tap(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    api, _ = running
    door = door_of(program, running, 67225)
    await door.say("/topic infantile-hemangioma")
    await door.say("What is the evidence for exosomes after laser?")
    (refused,) = api.sent_to(67225)[-1:]
    assert "No vetted statement answers this" in refused.text
    put = await door.after(
        lambda: door.person.press(refused, data_of(refused, "Ask the nearest article"))
    )
    assert "From the research" in put.text
    recalled = await program.database.recall("telegram:67225:67225")
    assert recalled.turns[-1].topic == "topical-exosomes"
    await door.say("How many sessions of it?")
    assert "Ask the nearest article" not in dict(api.sent_to(67225)[-1].buttons)


async def test_the_context_is_corrected_with_one_tap(
    program: Program, running: tuple[BotApi, Bot]
) -> None:
    door = door_of(program, running, 67231)
    await door.say(HEMANGIOMA)
    told = await door.say("/context")
    buttons = dict(told.buttons)
    assert "Role: not told" in told.text
    assert "which topic is meant?" in (await door.press(buttons["Wrong topic?"])).text
    assert "Which best describes you?" in (await door.press(buttons["Role"])).text
    assert "Articles (" in (await door.press(buttons["Articles"])).text
    assert "The context is forgotten" in (await door.press("do:new")).text
    assert "Nothing is remembered yet" in (await door.say("/context")).text
    for forged in ("do:start", "do:forget", "do:"):
        assert "out of date" in (await door.press(forged)).text
