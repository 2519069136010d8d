"""Whatever is said, it fits the door, loses nothing, and ends with the disclaimer."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.render import (
    CAUTIONS,
    EMERGENCY,
    MAX_UNITS,
    REASONS,
    SELF_HARM,
    STATUSES,
    STUDY_KINDS,
    Button,
    Disclaimer,
    Message,
    Paragraph,
    Style,
    plain,
    reply,
    rich_text,
    telegram,
    utf16_length,
)
from store.article import Caution, Part, Reference, Status
from store.parse import parse_file
from store.turn import (
    AnswerSection,
    ArticleNote,
    Kind,
    Nearest,
    Quote,
    Source,
    Topic,
    Turn,
)

DISCLAIMER = "For health professionals, <educational> only.\nVerify & judge for yourself."
SAMPLES = Path(__file__).parents[1] / "store" / "samples"


# ------------------------------------------------------------------- a strict reading of HTML

_TOKEN = re.compile(
    r"<(?P<close>/)?(?P<tag>blockquote|b|i|a)(?P<rest>[^<>]*)>"
    r"|&(?P<name>lt|gt|amp|quot);"
    r"|(?P<text>[^<>&]+)"
)
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ATTRIBUTES = {
    "b": re.compile(""),
    "i": re.compile(""),
    "a": re.compile(r' href="https?://[^"\s]+"'),
    "blockquote": re.compile(" expandable"),
}

Entities = list[tuple[str, str]]


def parsed(html: str) -> tuple[str, Entities]:
    """The text and (tag, what it covers); fails on anything that Telegram would not take."""
    html.encode()
    text, at = "", 0
    opened: list[tuple[str, int]] = []
    entities: Entities = []
    while at < len(html):
        token = _TOKEN.match(html, at)
        assert token, f"not understood: {html[at : at + 40]!r}"
        at = token.end()
        if tag := token["tag"]:
            if token["close"]:
                assert opened, f"</{tag}> closes nothing"
                assert opened[-1][0] == tag, f"</{tag}> closes {opened[-1][0]}"
                assert not token["rest"]
                start = opened.pop()[1]
                assert text[start:].strip(), f"empty {tag}"
                entities.append((tag, text[start:]))
            else:
                assert _ATTRIBUTES[tag].fullmatch(token["rest"]), token[0]
                assert tag not in [t for t, _ in opened], f"nested {tag}"
                opened.append((tag, len(text)))
        else:
            text += _NAMED[token["name"]] if token["name"] else token["text"]
    assert not opened
    return text, entities


def said(html: str, disclaimer: str = DISCLAIMER) -> str:
    """The text of one part without its disclaimer, after checking that the part is good."""
    text, entities = parsed(html)
    assert utf16_length(text) <= MAX_UNITS
    assert len(entities) <= 100
    assert entities[-1] == ("blockquote", disclaimer)
    assert text.endswith("\n\n" + disclaimer)
    body = text.removesuffix(disclaimer)
    assert body.strip()
    assert body.lstrip() == body
    return body


def without_space(text: str) -> str:
    return "".join(text.split())


def words_of(message: Message) -> str:
    """What the console says, without web addresses and disclaimer."""
    bare = Message(tuple(replace(p, link=None) for p in message.paragraphs))
    return plain(bare, DISCLAIMER).removesuffix(DISCLAIMER)


def message(*texts: str, style: Style = Style.PLAIN) -> Message:
    return Message(tuple(Paragraph(text, style) for text in texts))


# ----------------------------------------------------------------------- splitting, nothing lost

CHUNKS = st.sampled_from(
    [
        *("word ", "a", " ", "\n", "A sentence ends here. ", "p < 0.05 ", "<b>", "</b>", "&amp;"),
        *(
            "&",
            '"',
            "x" * 700,
            "12.5% (95% CI 3–9) [1, 2] ",
            "مرحبا بالعالم ",
            "שלום ",
            "é",
            "e\u0301",
        ),
        *("👩🏽\u200d⚕️", "🇨🇭", "😀", "한국어", "\u1112\u1161\u11ab", "皮膚科", "\u0301", "\u200d"),
        *("\u202e", "\u2066", "\x00", "\x1b[31m", "\t", "\r\n", "\ud800", "\u2028", "[", "]"),
    ]
)
RUNS = st.builds(
    lambda chunk, times: (chunk * times)[:12_000],
    CHUNKS,
    st.sampled_from([1, 1, 1, 2, 7, 60, 300, 1500, 12_000]),
)
TEXTS = st.lists(RUNS, min_size=1, max_size=6).map("".join).map(lambda t: t[:12_000])
LINKS = st.sampled_from([None, None, 'https://a.example/?q="x"&y=<z>', "javascript:alert(1)"])
PARAGRAPHS = st.builds(
    Paragraph, TEXTS, st.sampled_from(Style), LINKS, st.sampled_from([None, "word", "A sentence"])
)
MESSAGES = st.lists(PARAGRAPHS, min_size=1, max_size=8).map(
    lambda found: Message((Paragraph("Said"), *found))
)


@settings(max_examples=120, deadline=None)
@given(MESSAGES)
@example(message("x" * 12_000, "y" * 5_000))
@example(message("e" + "\u0301" * 9_000))
@example(message(*["One."] * 700))
@example(message(*["One."] * 700, style=Style.HEADING))
@example(message(*["One."] * 300, style=Style.SOURCE))
def test_every_part_is_accepted_ends_with_the_disclaimer_and_nothing_is_lost(m: Message) -> None:
    parts = [said(html) for html in telegram(m, DISCLAIMER)]
    assert without_space("".join(parts)) == without_space(words_of(m))


@settings(max_examples=60, deadline=None)
@given(st.integers(-4, 4), st.integers(1, 3000), st.sampled_from(["x", "😀", "<", "x y. Z"]))
def test_parts_are_full_to_the_last_unit(off: int, ending: int, unit: str) -> None:
    disclaimer = "d" * ending
    room = MAX_UNITS - 2 - ending
    size = (room + off) // utf16_length(unit)
    text = unit * size
    html = telegram(message(text), disclaimer)
    assert without_space("".join(said(h, disclaimer) for h in html)) == without_space(text)
    assert (len(html) == 1) == (utf16_length(text) <= room)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=40), st.sampled_from("xé😀<&皮"))
def test_words_are_not_cut_while_there_is_space_between_them(sizes: list[int], unit: str) -> None:
    words = [unit * size for size in sizes]
    words *= 12_000 // sum(map(len, words)) + 1
    parts = [said(html) for html in telegram(message(" ".join(words)), DISCLAIMER)]
    assert " ".join(parts).split() == words


@pytest.mark.parametrize(
    "unit",
    ["👩🏽\u200d⚕️", "e\u0301\u0323", "🇨🇭", "\u1112\u1161\u11ab", "🏴\U000e0067\U000e007f", "क्षि"],
)
@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_what_is_read_as_one_character_is_not_cut(unit: str, before: str) -> None:
    parts = [said(html).strip() for html in telegram(message(before + unit * 1500), DISCLAIMER)]
    assert len(parts) > 1
    parts[0] = parts[0].removeprefix(before)
    assert all(part == unit * (len(part) // len(unit)) for part in parts)


def test_a_message_is_divided_between_paragraphs_first() -> None:
    texts = [f"{i} " + "word " * 350 + "end" for i in range(6)]
    parts = [said(html).strip() for html in telegram(message(*texts), DISCLAIMER)]
    assert [part.split("\n\n") for part in parts] == [texts[:2], texts[2:4], texts[4:]]


def test_a_paragraph_is_divided_between_sentences_and_a_citation_stays_with_its_own() -> None:
    sentence = "The score fell by 32.5% (p < 0.01) in the trial, e.g. at week 12. [1, 2]"
    parts = [said(h).strip() for h in telegram(message(" ".join([sentence] * 150)), DISCLAIMER)]
    assert len(parts) > 2
    assert all(part.startswith("The") and part.endswith("[1, 2]") for part in parts)


def test_a_citation_is_not_parted_from_the_word_before_it() -> None:
    for shift in range(12):
        text = "x" * shift + " word [1, 2]" * 600
        parts = [said(html).strip() for html in telegram(message(text), DISCLAIMER)]
        assert not any(part.startswith(("[", "1", "2]")) for part in parts)


def test_styles_and_links_are_opened_again_in_every_part() -> None:
    heading, source = "Long heading. " * 700, "[1] A source. " * 700
    m = Message(
        (
            Paragraph(heading, Style.HEADING),
            Paragraph(source, Style.SOURCE, "https://a.example/"),
        )
    )
    for html in telegram(m, DISCLAIMER):
        body, entities = said(html), parsed(html)[1]
        covered = "".join(text for tag, text in entities[:-1] if tag in ("b", "a"))
        assert without_space(covered) == without_space(body)
    assert "<blockquote expandable><a href=" in telegram(m, DISCLAIMER)[-1]


def test_a_heading_goes_with_what_follows_it() -> None:
    m = Message(
        (Paragraph("word " * 780), Paragraph("Sources", Style.HEADING), Paragraph("x" * 300))
    )
    first, second = (said(html).strip() for html in telegram(m, DISCLAIMER))
    assert not first.endswith("Sources")
    assert second.startswith("Sources\nx")


def test_sources_share_one_quotation_and_the_link_is_on_the_identifier() -> None:
    sources = [
        Paragraph(f"[{n}] Trial. PMID {n}", Style.SOURCE, f"https://s.example/{n}", f"PMID {n}")
        for n in (1, 2)
    ]
    (html,) = telegram(Message(tuple(sources)), "D")
    assert html == (
        '<blockquote expandable>[1] Trial. <a href="https://s.example/1">PMID 1</a>\n'
        '[2] Trial. <a href="https://s.example/2">PMID 2</a></blockquote>\n\n'
        "<blockquote expandable>D</blockquote>"
    )


# --------------------------------------------------------------------------- cleaning, refusing


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("a\x00b\x07c\x1b[31md", "abc[31md"),
        ("a\tb\r\nc\rd\x0be", "a b\nc\nd\ne"),
        ("a\x85b\u2028c\u2029d\x9be", "a\nb\nc\nde"),
        ("\u202aa\u202eb\u202cc\u2066d\u2069e", "abcde"),
        ("a\ud83db\udc00", "a\ufffdb\ufffd"),
        ("👩🏽\u200d⚕️ é <b>&amp;", "👩🏽\u200d⚕️ é <b>&amp;"),
    ],
)
def test_control_and_direction_characters_do_not_leave(given_text: str, shown: str) -> None:
    assert said(telegram(message(given_text), DISCLAIMER)[0]).strip() == shown
    assert plain(message(given_text), DISCLAIMER) == f"{shown}\n\n{DISCLAIMER}"


def test_markup_in_a_text_is_shown_and_not_obeyed() -> None:
    (html,) = telegram(message('<b>p < 0.05</b> &lt; "quoted"'), "D")
    assert html.startswith("&lt;b&gt;p &lt; 0.05&lt;/b&gt; &amp;lt; &quot;quoted&quot;\n")


@pytest.mark.parametrize(
    "link",
    [
        *("javascript:alert(1)", "tg://user?id=1", "ftp://a.example/x", "//a.example", "a.example"),
        *("https://", "https://[", "https://a.example/ b", "https://a.example/\u202e", ""),
    ],
)
def test_only_web_addresses_become_links(link: str) -> None:
    m = Message((Paragraph("Source", Style.SOURCE, link),))
    assert "<a" not in telegram(m, DISCLAIMER)[0]
    assert plain(m, "D") == "Source\n\nD"


def test_a_link_is_escaped_in_its_attribute() -> None:
    m = Message((Paragraph("Source", link='https://a.example/?a="1"&b=<2>'),))
    href = "https://a.example/?a=&quot;1&quot;&amp;b=&lt;2&gt;"
    assert f'<a href="{href}">Source</a>' in telegram(m, DISCLAIMER)[0]


@pytest.mark.parametrize("empty", [Message(()), message("", " \n", "\u202e\x00")])
def test_an_empty_message_is_an_error_at_every_door(empty: Message) -> None:
    for door in (plain, rich_text, telegram):
        with pytest.raises(ValueError, match="empty"):
            door(empty, DISCLAIMER)


@pytest.mark.parametrize("bad", ["", " \n ", "\u202e", "x" * 3001, "😀" * 1501])
def test_no_door_opens_without_a_proper_disclaimer(bad: str) -> None:
    with pytest.raises(ValueError, match="disclaimer"):
        Disclaimer(bad)
    for door in (plain, rich_text, telegram):
        with pytest.raises(ValueError, match="disclaimer"):
            door(message("Said"), bad)


def test_the_longest_disclaimer_leaves_room() -> None:
    longest = "😀" * 1500
    html = telegram(message("word " * 2000), longest)
    assert len("".join(said(h, longest) for h in html).split()) == 2000


def test_a_button_has_a_clean_text_and_data_that_telegram_takes() -> None:
    assert Button("Back\n to\u202e it", "x").text == "Back to it"
    assert Button("é", "é" * 32).data == "é" * 32
    for text, data in [("", "x"), ("\u202e", "x"), ("a", ""), ("a", "x" * 65), ("a", "é" * 33)]:
        with pytest.raises(ValueError, match="button"):
            Button(text, data)


def test_length_is_counted_in_utf_16() -> None:
    assert [utf16_length(t) for t in ("", "aé", "皮", "😀", "\ud800")] == [0, 2, 1, 2, 1]


# ------------------------------------------------------------------------------- the console


@settings(max_examples=30, deadline=None)
@given(MESSAGES)
def test_the_terminal_shows_the_words_of_the_plain_text(m: Message) -> None:
    text = plain(m, DISCLAIMER)
    assert text.endswith(f"\n\n{DISCLAIMER}")
    assert rich_text(m, DISCLAIMER).plain == text


def test_rich_is_imported_only_when_colours_are_wanted() -> None:
    code = "import sys, bot.render; sys.exit('rich' in sys.modules)"
    root = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


# ------------------------------------------------------------------------------------- turns

LASERS = ArticleNote(
    "lasers",
    "Can laser be combined with exosomes?",
    Status.UNDER_REVIEW,
    date(2026, 11, 22),
    "Sample, not clinically reviewed",
)
SCARS = ArticleNote("scars", "Does laser help scars?", Status.APPROVED, date(2026, 3, 1))
KWON = Reference(
    5,
    "kwon2020",
    "rct",
    "Exosomes and CO2 laser for acne scars",
    ("Hyuck Hoon Kwon", "Steven Yang"),
    journal="Acta Dermato-Venereologica",
    year=2020,
    pmid="33073298",
)
FDA = Reference(
    1,
    "fda2019",
    "regulatory",
    "Public Safety Notification",
    ("U.S. Food and Drug Administration",),
    year=2019,
    url="https://www.fda.gov/notice",
)
SECTIONS = (
    AnswerSection(Part.GUIDELINES, (Quote("No guideline was found.", (), "lasers", "p1"),)),
    AnswerSection(
        Part.RESEARCH,
        (
            Quote(
                "The score fell by 32.5% (p<0.01), in one trial.",
                (1, 2),
                "lasers",
                "p2",
                ((32, (1,)), (47, (2,))),
            ),
            Quote("No product was approved.", (2,), "lasers", "p3"),
        ),
    ),
)
ANSWERED = Turn(
    Kind.ANSWERED,
    "any trial?",
    conversation_id="c",
    build="b",
    read_as="trials of laser with exosomes",
    topic=Topic("lasers", "Can laser be combined with exosomes?", "Laser with exosomes"),
    sections=SECTIONS,
    sources=(Source(1, KWON, ("lasers",)), Source(2, FDA, ("lasers",))),
    articles=(LASERS,),
    caution=Caution.UNDER_REVIEW,
    conflicts=("The trial found a gain, the notice warns. [1, 2]",),
    followups=("Are injected exosomes safe?", "What should a patient ask a clinic beforehand?"),
    id=7,
)
EMPTY = Turn(Kind.NOT_COVERED, "dose?", conversation_id="c", build="b")


def words(turn: Turn) -> str:
    return plain(reply(turn), "D").removesuffix("\n\nD")


def test_an_answered_turn_on_the_console() -> None:
    assert (
        plain(reply(ANSWERED), DISCLAIMER)
        == """\
Read as: trials of laser with exosomes

⚠️ Awaiting human review: read with caution. Sample, not clinically reviewed.

From the guidelines
• No guideline was found. (reported by the article itself, no citation)

From the research
• The score fell by 32.5% (p<0.01) [1], in one trial. [2]
• No product was approved. [2]

Where the two parts disagree
• The trial found a gain, the notice warns. [1, 2]

Sources
[1] Randomised trial. Hyuck Hoon Kwon et al., Acta Dermato-Venereologica 2020. PMID 33073298 \
· article under review, updated 22 Nov 2026
    https://pubmed.ncbi.nlm.nih.gov/33073298/
[2] Regulatory document. U.S. Food and Drug Administration, “Public Safety Notification”, 2019 \
· article under review, updated 22 Nov 2026
    https://www.fda.gov/notice
Article quoted: “Can laser be combined with exosomes?” · under review, updated 22 Nov 2026 \
· Sample, not clinically reviewed

You could ask
• Are injected exosomes safe?
• What should a patient ask a clinic beforehand?

For health professionals, <educational> only.
Verify & judge for yourself."""
    )


ABOUT_IT = (
    Button("Sources", "sources:7"),
    Button("More", "more:7", beside=True),
    Button("Wrong topic?", "wrong:7", beside=True),
    Button("👍", "up:7"),
    Button("👎", "down:7", beside=True),
)
"""The buttons under every answer."""


def test_an_answered_turn_in_telegram() -> None:
    assert telegram(reply(ANSWERED), DISCLAIMER) == [
        """\
<i>Read as: trials of laser with exosomes</i>

<b>⚠️ Awaiting human review: read with caution. Sample, not clinically reviewed.</b>

<b>From the guidelines</b>
• No guideline was found. (reported by the article itself, no citation)

<b>From the research</b>
• The score fell by 32.5% (p&lt;0.01) [1], in one trial. [2]
• No product was approved. [2]

<b>Where the two parts disagree</b>
• The trial found a gain, the notice warns. [1, 2]

<b>Sources</b>
<blockquote expandable>[1] Randomised trial. Hyuck Hoon Kwon et al., \
Acta Dermato-Venereologica 2020. \
<a href="https://pubmed.ncbi.nlm.nih.gov/33073298/">PMID 33073298</a> \
· article under review, updated 22 Nov 2026
[2] Regulatory document. U.S. Food and Drug Administration, \
“<a href="https://www.fda.gov/notice">Public Safety Notification</a>”, 2019 \
· article under review, updated 22 Nov 2026
Article quoted: “Can laser be combined with exosomes?” · under review, updated 22 Nov 2026 \
· Sample, not clinically reviewed</blockquote>

<b>You could ask</b>
• Are injected exosomes safe?
• What should a patient ask a clinic beforehand?

<blockquote expandable>For health professionals, &lt;educational&gt; only.
Verify &amp; judge for yourself.</blockquote>"""
    ]
    assert reply(ANSWERED).buttons == (
        Button("Are injected exosomes safe?", "ask:7:0"),
        Button("What should a patient ask a clinic…", "ask:7:1"),
        *ABOUT_IT,
    )


def every_turn() -> Iterator[Turn]:
    reasons = [None, *REASONS, "self_harm", "a_code_nobody_knows", "."]
    nearest = Nearest("scars", "Does laser help scars?", "Harms")
    for kind, reason, full, near in product(Kind, reasons, (True, False), (None, nearest)):
        turn = ANSWERED if full else EMPTY
        yield replace(turn, kind=kind, reason=reason, nearest=near)


def test_every_kind_with_every_reason_is_rendered_at_every_door() -> None:
    for turn in every_turn():
        m = reply(turn)
        parts = [said(html) for html in telegram(m, DISCLAIMER)]
        assert without_space("".join(parts)) == without_space(words_of(m))
        assert turn.sections or "Next: " in "".join(parts)
        assert "None" not in plain(m, DISCLAIMER)


def test_every_status_caution_and_reason_has_its_words() -> None:
    assert set(STATUSES) == set(Status)
    assert set(CAUTIONS) == set(Caution)
    for status, told in STATUSES.items():
        text = words(replace(ANSWERED, articles=(replace(LASERS, status=status),)))
        assert text.count(f"{told}, updated 22 Nov 2026") == 3
    for caution, told in CAUTIONS.items():
        assert f"⚠️ {told}" in words(replace(EMPTY, caution=caution))
    for code, told in REASONS.items():
        assert f"answers this: {told}." in words(replace(EMPTY, reason=code))


def test_every_kind_of_study_in_the_samples_has_its_words() -> None:
    articles = [parse_file(path).article for path in SAMPLES.glob("*.md")]
    kinds = {r.kind for article in articles if article for r in article.references}
    assert kinds
    assert kinds <= set(STUDY_KINDS)


def test_an_unknown_kind_of_study_is_shown_as_it_is_written() -> None:
    odd = replace(KWON, kind="registry_analysis", grade="1B", retracted=True)
    text = words(replace(ANSWERED, sources=(Source(1, odd, ("lasers",)),)))
    assert "[1] RETRACTED. Registry analysis (grade 1B). Hyuck Hoon Kwon et al." in text


@pytest.mark.parametrize(
    ("reference", "line"),
    [
        (replace(KWON, pmid=None, doi="10.1/x"), "Yang X et al., J 2020. DOI 10.1/x ·"),
        (replace(KWON, pmid=None, accession="PMC1"), "Yang X et al., J 2020. PMC1 ·"),
        (replace(KWON, pmid=None), "Yang X et al., J 2020 ·"),
        (replace(KWON, authors=()), "“Exosomes and CO2 laser for acne scars”, J 2020. PMID 3"),
        (replace(KWON, authors=("D P Smack et al.",)), "trial. D P Smack et al., J 2020."),
        (replace(KWON, authors=("Smack et al.", "B")), "trial. Smack et al., J 2020."),
        (replace(KWON, authors=("Tina Alster",), year=None), "trial. Tina Alster, J. PMID"),
    ],
)
def test_a_source_line_says_what_is_known(reference: Reference, line: str) -> None:
    shown = replace(
        reference,
        journal="J",
        authors=("Yang X", "B") if reference.authors == KWON.authors else reference.authors,
    )
    assert line in words(replace(ANSWERED, sources=(Source(1, shown, ("lasers",)),)))


def test_with_several_articles_each_source_names_its_own_with_status_and_date() -> None:
    sources = (Source(1, KWON, ("lasers", "scars")), Source(2, FDA, ("scars",)))
    text = words(replace(ANSWERED, articles=(LASERS, SCARS), sources=sources))
    both = "article A (under review, updated 22 Nov 2026), article B (approved, updated 1 Mar 2026)"
    assert f"PMID 33073298 · via {both}\n" in text
    assert "2019 · via article B (approved, updated 1 Mar 2026)\n" in text
    assert "\nArticle A: “Can laser be combined with exosomes?” · under review" in text
    assert "\nArticle B: “Does laser help scars?” · approved, updated 1 Mar 2026\n" in text
    assert "(reported by article A itself, no citation)" in text
    assert "⚠️ Partly awaiting human review, see Sources: read with caution.\n" in text


def test_a_source_without_its_article_does_not_pass_for_reviewed() -> None:
    text = words(replace(ANSWERED, sources=(Source(1, KWON, ("gone",)),)))
    assert "PMID 33073298 · review status unknown" in text


def test_a_change_of_topic_names_both_and_offers_the_way_back() -> None:
    old = Topic("scars", "Does laser help scars?", "Laser for scars")
    m = reply(replace(ANSWERED, kind=Kind.NEW_TOPIC, previous_topic=old, followups=()))
    note = "Topic changed from “Laser for scars” to “Laser with exosomes”."
    assert Paragraph(note, Style.NOTE) in m.paragraphs
    assert m.buttons == (Button("Back to Laser for scars", "topic:scars"), *ABOUT_IT)
    first = reply(replace(ANSWERED, kind=Kind.NEW_TOPIC, followups=()))
    assert Paragraph("New topic: “Laser with exosomes”.", Style.NOTE) in first.paragraphs
    assert first.buttons == ABOUT_IT


def test_what_is_not_covered_is_said_with_the_reason_and_the_nearest_section() -> None:
    nearest = Nearest("scars", "Does laser help scars?", "Harms")
    assert words(replace(EMPTY, reason="no_statement", nearest=nearest)) == (
        "No vetted statement answers this: nothing in the article on this topic addresses it.\n\n"
        "Nearest: “Does laser help scars?”, section “Harms”.\n\n"
        "Next: ask about another aspect, name another treatment or condition, or search the"
        " primary literature."
    )


def test_a_part_that_is_not_covered_is_named_before_the_answer() -> None:
    text = words(replace(ANSWERED, kind=Kind.PARTLY_ANSWERED, reason="not_in_store"))
    note = "This answers part of the question. The rest is not covered: no vetted article addresses"
    assert text.index(note) < text.index("From the guidelines")


def test_a_clarification_asks_one_question_and_offers_each_topic_as_a_button() -> None:
    options = (
        Topic("scars", "Does laser help scars?", "Laser for scars"),
        Topic("s" * 58, "?", "Laser for " + "very " * 20 + "old scars"),
        Topic("s" * 60, "?", "A slug too long for a button"),
    )
    m = reply(replace(EMPTY, kind=Kind.NEEDS_CLARIFICATION, options=options))
    text = plain(m, "D")
    assert text.count("?") == 1
    assert all(f"• {option.name}\n" in text for option in options)
    assert [button.data for button in m.buttons] == ["topic:scars", "topic:" + "s" * 58]
    assert [button.text for button in m.buttons] == [
        "Laser for scars",
        "Laser for very very very very very very…",
    ]
    nothing = words(replace(EMPTY, kind=Kind.NEEDS_CLARIFICATION, reason="nothing_to_explain"))
    assert "Which treatment" not in nothing and "Next: ask a question first" in nothing
    bare = words(replace(EMPTY, kind=Kind.NEEDS_CLARIFICATION, reason="no_topic"))
    assert bare.startswith("The question does not say what it is about. Which treatment")


def test_a_decision_for_one_patient_is_declined_before_the_evidence() -> None:
    text = words(replace(ANSWERED, kind=Kind.PATIENT_SPECIFIC))
    assert text.index("stays with the treating clinician") < text.index("From the guidelines")


def test_the_urgent_line_comes_before_everything_else() -> None:
    text = words(replace(ANSWERED, kind=Kind.URGENT))
    assert text.startswith(f"🚨 {EMERGENCY}\n\nRead as")
    assert SELF_HARM not in text
    assert text.index("From the research") < text.index("Sources")
    alone = words(replace(EMPTY, kind=Kind.URGENT, reason="self_harm"))
    assert alone.startswith(f"🚨 {SELF_HARM}\n\n🚨 {EMERGENCY}\n\n")


def test_a_turn_that_was_not_stored_has_no_questions_as_buttons() -> None:
    assert reply(replace(ANSWERED, id=None)).buttons == ()
    assert reply(replace(ANSWERED, followups=("\u202e", " "))).buttons == ABOUT_IT


def test_a_question_cannot_imitate_the_layout_of_an_answer() -> None:
    text = words(replace(EMPTY, read_as="dose?\n\nFrom the guidelines\n• Give it."))
    assert text.startswith("Read as: dose? From the guidelines • Give it.\n\n")
