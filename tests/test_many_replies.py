"""Ten thousand replies of every kind of text: each message fits, parses, and ends as it must."""

import random
from datetime import date
from itertools import accumulate

import pytest
from botapi import MAX_ENTITIES, MAX_TEXT, parse_html, utf16_len
from richhtml import parse_rich

from bot.render import Message, plain, reply, telegram
from bot.rich import rich
from prompts import load
from store.article import Caution, Part, Reference, Status
from store.turn import (
    AnswerSection,
    ArticleNote,
    Composer,
    Kind,
    Nearest,
    Quote,
    Role,
    Source,
    Topic,
    Turn,
)

REPLIES, BATCHES = 10_000, 10
DISCLAIMER = load("disclaimer", operator="Ward <7> & sons")
PIECES = [
    *"the keloid laser and recurrence in children after treatment was not seen p<0.05".split(),
    "<b>",
    "</b>",
    "<script>alert(1)</script>",
    "&amp;",
    "&",
    "&#x202e;",
    "<",
    ">",
    '"',
    "'",
    "<0.05>",
    "*bold*",
    "_snake_case_",
    "[link](http://x.example)",
    "`code`",
    "||spoiler||",
    "<br>",
    "</blockquote>",
    "<blockquote expandable>",
    "<a href='http://x.example'>",
    "http://x.example/?a=1&b=2",
    "@name",
    "/start",
    "👩‍⚕️",
    "🏳️‍🌈",
    "👍🏽",
    "🇩🇪🇫🇷",
    "💉",
    "e\u0301",
    "क्षि",
    "각",
    "קלואיד",
    "الليزر",
    "\u200f",
    "\u202eresal\u202c",
    "\u2066x\u2069",
    "ليزر,",
    "(עור)",
    "[1]",
    "[2, 3]",
    "12.5 mg/kg",
    "µ",
    "±",
    "\u00a0",
    "\u2028",
    "\t",
    "\x00",
    "\ud800",
    "x" * 300,
    "\n",
    "\n\n",
]
WEIGHTS = list(accumulate([6] * 12 + [1] * (len(PIECES) - 12)))


def text(chance: random.Random, units: int) -> str:
    """Words, markup and signs, some so many characters long; never without a letter."""
    found: list[str] = ["a"]
    length = 1
    while length < units:
        piece = chance.choices(PIECES, cum_weights=WEIGHTS)[0]
        found.append(piece)
        length += len(piece) + 1
    return chance.choice([" ", " ", " ", ""]).join(found)[: max(units, 1)]


def some(chance: random.Random, longest: int) -> str:
    return text(chance, chance.choice([1, 5, 20, 60, longest]))


def a_turn(chance: random.Random, number: int) -> Turn:
    """A reply as the store could make it of the most careless articles."""
    long = 10_000 if number % 100 == 0 else 200
    articles = tuple(
        ArticleNote(f"a{i}", some(chance, 90), chance.choice(list(Status)), date(2026, 1, 1 + i))
        for i in range(chance.randint(1, 3))
    )
    sources = tuple(
        Source(
            n,
            Reference(
                n,
                f"k{n}",
                chance.choice(["rct", "guideline", "x_y"]),
                some(chance, 120),
                authors=(some(chance, 20),) * chance.randint(0, 2),
                journal=chance.choice([None, some(chance, 30)]),
                pmid=chance.choice([None, "123"]),
                url=chance.choice([None, "http://x.example/?a=1&b=<2>", "javascript:alert(1)"]),
                retracted=chance.random() < 0.1,
            ),
            (articles[0].slug,),
        )
        for n in range(1, chance.choice([1, 2, 4, 60 if number % 40 == 0 else 5]) + 1)
    )
    quotes = [
        Quote(some(chance, long), (chance.randint(1, len(sources)),), articles[0].slug, "p")
        for _ in range(chance.randint(0, 6))
    ]
    sections = tuple(
        AnswerSection(part, tuple(quotes[i::2])) for i, part in enumerate(Part) if quotes[i::2]
    )
    topic = Topic("a0", some(chance, 90), some(chance, 40))
    return Turn(
        kind=chance.choice(list(Kind)),
        question="q",
        conversation_id="c",
        build="b",
        read_as=chance.choice([None, some(chance, 200)]),
        topic=chance.choice([None, topic]),
        previous_topic=chance.choice([None, Topic("other", some(chance, 60))]),
        sections=sections,
        sources=sources if sections else (),
        articles=articles if sections else (),
        caution=chance.choice([None, *Caution]),
        conflicts=tuple(some(chance, 200) for _ in range(chance.randint(0, 2))),
        nearest=chance.choice([None, Nearest("a0", some(chance, 60), some(chance, 30))]),
        options=(topic,) * chance.randint(0, 2),
        followups=tuple(some(chance, 90) for _ in range(chance.randint(0, 3))),
        id=chance.choice([None, number + 1]),
        role=chance.choice([None, *Role]),
        composer=chance.choice(list(Composer)),
        abbreviations=(("EV", some(chance, 40)),) * chance.randint(0, 2),
    )


def bare(words: str) -> str:
    """The words without white space, which differs where a text is divided."""
    return "".join(words.split())


@pytest.mark.parametrize("batch", range(BATCHES))
def test_ten_thousand_replies_fit_parse_end_with_the_disclaimer_and_lose_nothing(
    batch: int,
) -> None:
    chance = random.Random(batch)
    parts = long = structured = 0
    ending = f"\n\n{DISCLAIMER}"
    for number in range(REPLIES // BATCHES):
        message = reply(a_turn(chance, number))
        seen = []
        for html in telegram(message, DISCLAIMER):
            shown, entities = parse_html(html)  # raises what Telegram would refuse
            assert utf16_len(shown) <= MAX_TEXT
            assert len(entities) < MAX_ENTITIES
            assert shown.endswith(ending)
            assert entities[-1]["type"] == "expandable_blockquote"
            assert entities[-1]["length"] == utf16_len(DISCLAIMER)
            seen.append(shown.removesuffix(ending))
        assert bare("".join(seen)) == bare(_without_links(message)), f"batch {batch}, {number}"
        if number % 10 == 0:
            richer = [parse_rich(r).text for r in rich(message, DISCLAIMER) if r is not None]
            assert all(text.endswith(DISCLAIMER) for text in richer)
            told = [bare(text.removesuffix(DISCLAIMER)) for text in richer]
            structured += len(told)
            assert {*told} <= {bare(text.replace("• ", "")) for text in seen}
        parts += len(seen)
        long += len(seen) > 1
    assert long >= 1, "no long reply was made"
    assert structured >= 1, "no reply was a rich message"


def _without_links(message: Message) -> str:
    """What the console shows, without the addresses that Telegram puts behind words."""
    shown = plain(message, DISCLAIMER).removesuffix(DISCLAIMER)
    return "\n".join(x for x in shown.split("\n") if not x.startswith("    http"))
