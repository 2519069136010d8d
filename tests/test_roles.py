"""Roles: asked once, changed at any time, and never a reason to cite other facts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from botapi import BotApi
from chatapi import Call, Says, statements_in
from doors import TelegramDoor, bot_over
from writers import written_by

from bot import commands, roles
from bot.app import Program
from bot.commands import Person
from bot.render import Message, plain, reply
from bot.words import speaking, tr
from chains.assistant import worded_for
from chains.glossary import glossary, spelled_out
from prompts import load
from store.article import Article, Part, Reference, Section, Statement, Status
from store.parse import parse_bytes
from store.people import role_of, set_role
from store.reload import SAMPLES
from store.turn import Composer, Role, Turn

QUESTIONS = [
    "are injected exosomes safe?",
    "Does topical timolol work for infantile hemangioma?",
    "Does adding pulsed dye laser to triamcinolone and 5-FU help in keloids?",
    "How is actinic keratosis treated?",
    "Does PDL help port-wine stains?",
    "What is the five-year recurrence rate of keloids after pulsed dye laser?",
    "Should I give my patient topical timolol?",
]


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


def read(program: Program, message: Message) -> str:
    return plain(message, program.disclaimer.text)


def facts(turn: Turn) -> tuple[object, ...]:
    """What a turn claims: the statements it rests on, and the sources and numbers they have."""
    return (
        turn.kind,
        {(q.article, q.text) for q in turn.rests_on()},
        {(s.reference.identity, s.articles) for s in turn.sources},
        {a.slug for a in turn.articles},
        turn.caution,
        {re.sub(r"\[[\d, ]+\]", "", conflict) for conflict in turn.conflicts},
    )


# ------------------------------------------------------------------------------ the same facts


@pytest.mark.parametrize("question", QUESTIONS)
async def test_every_role_is_cited_the_same_facts_when_quoted(
    question: str, program: Program
) -> None:
    seen = []
    for role in (None, *Role):
        who = f"role-quoted-{role}-{QUESTIONS.index(question)}"
        if role is not None:
            await set_role(program.database, who, role)
        turn = await program.assistant.ask(who, question, who)
        again = await program.assistant.ask(who, "more", who)
        assert turn.role is role
        assert [q.text for q in turn.quotes()] == [q.text for q in turn.rests_on()]
        # Also the same words of the articles, in the same order, under the same numbers.
        told = [(q.text, q.citations) for q in turn.quotes()]
        numbers = [(s.n, s.reference.key) for s in turn.sources]
        seen.append((facts(turn), told, numbers, facts(again)))
        shown = read(program, reply(turn))
        assert all(q.text in shown for q in turn.quotes())
    assert all(one == seen[0] for one in seen)


REGISTERS = {role: load(f"register/{role.value}").strip() for role in Role}


def by_register(call: Call) -> Says:
    """A model that words for the reader it was told of, from the statements that it was given."""
    (role,) = [role for role, register in REGISTERS.items() if register in call.system]
    lead = {Role.NURSE: "In the article: ", Role.TRAINEE: "Put simply: "}.get(role, "")
    given = statements_in(call)
    order = given if role is not Role.RESEARCHER else given[::-1]
    lines = (f"{lead}{s.text.rstrip('.')} [{s.key}]." for s in order)
    return Says("\n".join(lines))


@pytest.mark.parametrize("question", QUESTIONS[:5])
async def test_every_role_is_cited_the_same_facts_when_a_model_writes(
    question: str, program: Program
) -> None:
    async with written_by(program, by_register) as writing:
        seen, words = [], set()
        for role in Role:
            who = f"role-written-{role}-{QUESTIONS.index(question)}"
            await set_role(program.database, who, role)
            turn = await writing.program.assistant.ask(who, question, who)
            assert turn.composer is Composer.WRITTEN
            asked = writing.api.calls[-1]
            assert REGISTERS[role] in asked.system
            seen.append(facts(turn))
            words.add(tuple(q.text for q in turn.quotes()))
    assert all(one == seen[0] for one in seen)
    assert len(words) > 1, "the roles were worded alike: nothing was compared"


async def test_what_is_not_covered_for_one_role_is_not_covered_for_any(program: Program) -> None:
    for role in Role:
        who = f"role-refused-{role}"
        await set_role(program.database, who, role)
        turn = await program.assistant.ask(who, "What is the capital of France?", who)
        assert not turn.sections


# ------------------------------------------------------------------------------ wording


async def test_a_researcher_reads_the_kind_of_study_with_each_statement(program: Program) -> None:
    who = "role-researcher"
    await set_role(program.database, who, Role.RESEARCHER)
    turn = await program.assistant.ask(who, QUESTIONS[2], who)
    shown = read(program, reply(turn))
    answer = shown.partition("\nSources\n")[0]
    cited = [line for line in answer.splitlines() if re.search(r"\[\d+\]", line)]
    assert cited
    assert all(re.search(r"\[[\d, ]+\] \([a-z ,-]+\)$", line) for line in cited), answer
    other = await program.assistant.ask("role-nobody", QUESTIONS[2], "role-nobody")
    assert "(randomised trial" not in read(program, reply(other))


async def test_abbreviations_are_spelled_out_for_a_trainee_only(program: Program) -> None:
    turn = await program.assistant.ask("role-abbreviations", QUESTIONS[4], "role-abbreviations")
    (section, *_) = turn.sections
    quote = replace(section.statements[0], text="PDL lightened most stains, with an ECG before.")
    turn = replace(turn, sections=(replace(section, statements=(quote,)),))
    async with program.library.borrow() as build:
        for role in (None, *Role):
            shown = read(program, reply(worded_for(role, turn, build)))
            told = "Abbreviations. PDL: pulsed dye laser.\n" in shown
            assert told is (role is Role.TRAINEE)
            assert "ECG:" not in shown


def article(*texts: str, aliases: tuple[str, ...] = (), title: str = "A question?") -> Article:
    statements = tuple(Statement(text, (1,)) for text in texts)
    return Article(
        slug="a",
        title=title,
        topic="a topic",
        aliases=aliases,
        status=Status.APPROVED,
        updated=date(2026, 1, 1),
        sections=(Section("s", Part.RESEARCH, "", statements),),
        references=(Reference(1, "k", "rct", "Use of valacyclovir for herpes virus-1 (HV-1)"),),
    )


def test_only_what_the_article_explains_is_spelled_out() -> None:
    explained = article(
        "An extracellular vesicle (EV) is released. The VSS (Vancouver scar scale) is not lower.",
        "Scores of the VSS (vancouver scar scale) fell with AFL and with TAC and ECG.",
        aliases=("pulsed dye laser for scars", "PDL for scars", "AFL", "ablative laser"),
    )
    found = glossary(explained)
    assert found == {
        "EV": "extracellular vesicle",
        "VSS": "vancouver scar scale",
        "HV-1": "herpes virus-1",
        "PDL": "pulsed dye laser",
    }
    used = spelled_out(["PDL lowered the VSS (not TAC).", "EVs were used with PDL."], [explained])
    assert used == (
        ("PDL", "pulsed dye laser"),
        ("VSS", "vancouver scar scale"),
        ("EVs", "extracellular vesicle"),
    )
    assert spelled_out(["A pulsed dye laser (PDL) was used."], [explained]) == ()
    assert spelled_out(["The ECG and TAC."], [explained]) == ()


def test_a_name_that_two_things_could_stand_for_is_left_as_it_is() -> None:
    both = article("A text.", aliases=("PCR", "plain cold rinsing", "partial clinical response"))
    assert "PCR" not in glossary(both)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.md")), ids=lambda p: p.stem)
def test_what_is_spelled_out_stands_in_the_article(path: Path) -> None:
    found = parse_bytes(path.read_bytes(), path).article
    assert found is not None
    text = " ".join(path.read_text(encoding="utf-8").lower().split())
    for short, full in glossary(found).items():
        assert short.lower() in text
        assert full.lower() in text, f"{short}: {full} is invented"


# ------------------------------------------------------------------------------ asking


async def test_the_first_start_asks_and_the_answer_is_remembered(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        door = TelegramDoor(program, api, bot, api.private(7001))
        first = await door.say("/start")
        assert roles.ASKED in first.text
        assert [text for text, _ in first.buttons] == list(roles.NAMES.values())
        told = await door.press("role:trainee")
        assert told.text.startswith("Noted: trainee.")
        assert await role_of(program.database, "telegram:7001") is Role.TRAINEE
        second = await door.say("/start")
        assert roles.ASKED not in second.text and not second.buttons
        asked = await door.say("/role")
        assert "You are known as: trainee." in asked.text
        assert len(asked.buttons) == len(Role)
        assert (await door.say("/role nurse")).text.startswith("Noted: nurse.")
        assert "There is no role “wizard”." in (await door.say("/role wizard")).text
        for forged in ("role:wizard", "role:", "role"):
            assert "out of date" in (await door.press(forged)).text
        assert await role_of(program.database, "telegram:7001") is Role.NURSE


async def test_who_comes_by_a_link_is_told_and_asked_the_same_at_first(program: Program) -> None:
    who = Person("role-linked", "role-linked")
    first = await commands.run(program, who, "start", "a_pdl-exosomes")
    text = read(program, first)
    assert text.startswith("Can pulsed dye laser therapy be combined with exosome")
    assert roles.ASKED in text and "type nothing that identifies a patient" in text
    data = [b.data for b in first.buttons]
    assert data[0].startswith("probe:") and data[-len(Role) :] == [f"role:{r}" for r in Role]
    await commands.pressed(program, who, "role:nurse")
    again = await commands.run(program, who, "start", "a_pdl-exosomes")
    assert roles.ASKED not in read(program, again)


async def test_a_role_can_be_typed_as_it_is_called_in_the_language(program: Program) -> None:
    who = Person("role-german", "role-german")
    with speaking("de"):
        asked = read(program, await commands.run(program, who, "role", ""))
        for role, name in roles.NAMES.items():
            assert tr(name) in asked
            assert role.value not in asked
            await commands.run(program, who, "role", tr(name))
            assert await role_of(program.database, who.user_id) is role


async def test_somebody_else_is_told_for_whom_this_is_written(program: Program) -> None:
    who = Person("role-other", "role-other")
    for told in (
        await commands.run(program, who, "role", "other"),
        await commands.pressed(program, who, "role:other"),
    ):
        assert roles.FOR_PROFESSIONALS in read(program, told)
    told = await commands.run(program, who, "role", "nurse")
    assert roles.FOR_PROFESSIONALS not in read(program, told)
