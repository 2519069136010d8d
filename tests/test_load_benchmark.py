"""The benchmarks of the running bot count what they say they count."""

import threading
import time
from collections.abc import Iterator

import pytest
from botapi import BotApi, Person

from benchmarks import faults, telegram


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


def told(person: Person, text: str, api: BotApi) -> None:
    """The bot says it."""
    api._serve(api.token, "sendMessage", {"chat_id": person.chat_id, "text": text}, None)


def test_every_sample_article_has_questions_and_nobody_asks_the_same_twice() -> None:
    assert len(telegram.PROBES) == 12
    assert len({slug for slug, _ in telegram.PROBES}) == 12
    for _, questions in telegram.PROBES:
        assert len(set(questions)) >= telegram.FEWEST_EACH


def test_a_lost_answer_is_not_counted_and_ends_the_wait(
    api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram, "LOST_AFTER_S", 0.3)
    monkeypatch.setattr(telegram, "THINKS_S", 0.01)
    crowd = [telegram.Reader(api.private(50 + n), n) for n in range(2)]

    def answer_two_of_the_first() -> None:
        for n in range(2):
            api.wait_for(lambda n=n: len([u for u in api.updates if _from(u) == 50]) > n)  # type: ignore[misc]
            told(crowd[0].person, "An answer.", api)

    answering = threading.Thread(target=answer_two_of_the_first)
    answering.start()
    began = time.monotonic()
    waits, took = telegram.ask(api, crowd, 2)
    answering.join()
    assert len(waits) == 2
    assert took < time.monotonic() - began - 0.2, "the wait for what is lost is not counted"


def _from(update: dict[str, dict[str, dict[str, int]]]) -> int:
    return update["message"]["chat"]["id"]


def test_ratios_are_in_parts_of_the_minimal_bot() -> None:
    row = {
        "people": 1,
        "flood": False,
        "once": False,
        "answers_per_s": 10.0,
        "p50_s": 0.1,
        "p95_s": 0.2,
    }
    ours = {**row, "cpu_ms_per_answer": 30.0, "peak_mib": 300}
    minimal = {**row, "answers_per_s": 40.0, "cpu_ms_per_answer": 10.0, "peak_mib": 100}
    found = telegram.ratios(ours, minimal)
    assert (found["answers_per_s"], found["cpu_ms_per_answer"], found["peak_mib"]) == (0.25, 3, 3)


def test_answers_that_are_lost_twice_or_out_of_order_are_told_apart(api: BotApi) -> None:
    orders = {60: (0, 1, 2, 3), 61: (0, 2, 1, 3), 62: (0, 1, 1, 2, 3), 63: (0, 1)}
    people = [api.private(number) for number in orders]
    asked = [q.removeprefix("and ").rstrip("?") for q in faults.QUICK]
    for person in people:
        for n in orders[person.chat_id]:
            told(person, f"Read as: {asked[n]} — Infantile hemangioma", api)
    assert faults._told(api, people) == {"lost": 2, "twice": 1, "misordered": 1}
