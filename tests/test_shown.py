"""Which message of a chat shows which answer, on both databases."""

from turns import CHAT, OTHER_CHAT, USER, a_turn

from store import shown
from store.conversations import Database
from store.mailbox import Key, Parcel
from store.shown import Shown, What

pytest_plugins = ("databases", "postgres")

WHERE, LARGE = 7, 2**52
"""A chat, and the number of a message: larger than an integer of PostgreSQL."""


async def test_a_message_shows_the_answer_that_it_was_given_last(database: Database) -> None:
    one, two = [await database.remember(USER, a_turn(text)) for text in ("one", "two")]
    await database.write(shown.noting(WHERE, LARGE, one, parts=2, question_id=LARGE - 1))
    found = await shown.by_message(database, CHAT, WHERE, LARGE)
    assert found == Shown(LARGE, one, What.ANSWER, 2)
    assert await shown.by_question(database, CHAT, WHERE, LARGE - 1) == found
    await database.write(shown.noting(WHERE, LARGE, two, what=What.ASKED_WHY))
    assert await shown.by_message(database, CHAT, WHERE, LARGE) == Shown(
        LARGE, two, What.ASKED_WHY, 1
    )
    assert await shown.by_question(database, CHAT, WHERE, LARGE - 1) is None
    assert await shown.by_message(database, OTHER_CHAT, WHERE, LARGE) is None


async def test_what_shows_an_answer_that_was_erased_is_not_remembered(database: Database) -> None:
    turn_id = await database.remember(USER, a_turn())
    await database.write(shown.noting(WHERE, 1, turn_id + 1))
    assert await shown.by_message(database, CHAT, WHERE, 1) is None


async def test_it_is_remembered_with_the_mark_that_a_reply_was_sent(database: Database) -> None:
    turn_id = await database.remember(USER, a_turn())
    box, key = database.mailbox, Key(123, 1, "message:7")
    await box.take_in([Parcel(key, "7", USER, "{}")])
    one, two = await box.keep(key, WHERE, None, [{"text": "one"}, {"text": "two"}])
    await box.sent(key, one)
    await box.sent(key, two, shown.noting(WHERE, 5, turn_id, parts=2, question_id=4))
    found = await shown.by_message(database, CHAT, WHERE, 5)
    assert found == Shown(5, turn_id, What.ANSWER, 2)
    assert await shown.by_question(database, CHAT, WHERE, 4) == found
