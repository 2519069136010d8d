"""The catalogues are whole and in step with the code; every language has its disclaimer."""

import ast
import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from string import Formatter

import pytest
from babel.messages import Catalog
from conftest import settings_for

import prompts
from bot import words
from bot.app import disclaimer_of
from bot.commands import PROBLEMS
from bot.receipts import FAILED, KINDS
from bot.render import PARTS, Message, Paragraph, plain, telegram
from bot.settings import OPERATOR
from bot.words import ENGLISH, LANGUAGES, language, marked, matching, speak, speaking, tr, trn
from chains.llm import WORDS
from store.article import Part
from store.turn import Kind
from tools import catalogue

TRANSLATED = [code for code in LANGUAGES if code != ENGLISH]


# ------------------------------------------------------------------- looking up


def test_english_stands_in_the_code() -> None:
    assert language() == ENGLISH
    assert tr("There is no language “{name}” here.", name="xx") == (
        "There is no language “xx” here."
    )
    assert [trn("{n} thing", "{n} things", n) for n in (0, 1, 2)] == [
        "0 things",
        "1 thing",
        "2 things",
    ]
    assert marked("as it is {n}") == "as it is {n}"


def test_a_text_is_said_in_the_language_that_is_spoken() -> None:
    with speaking("de"):
        assert tr("The language is {language}.", language="Deutsch") == "Die Sprache ist Deutsch."
    assert tr("The language is {language}.", language="Deutsch") == "The language is Deutsch."


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    said = tr("There is no language “{name}” here.", name="{name} {0} %s {")
    assert said == "There is no language “{name} {0} %s {” here."


def test_a_term_inside_of_a_sentence_keeps_the_capitals_of_german_nouns() -> None:
    assert words.inside(tr("Randomised trial")) == "randomised trial"
    with speaking("de"):
        assert words.inside(tr("Randomised trial")) == "Randomisierte Studie"


def test_a_text_without_a_translation_is_said_in_english() -> None:
    with speaking("de"):
        assert tr("no such text {x}", x=1) == "no such text 1"
        assert trn("{n} none such", "{n} none suches", 2) == "2 none suches"


def test_a_language_without_a_catalogue_is_not_spoken() -> None:
    for code in ("fr", "", "DE", "../de"):
        with pytest.raises(ValueError, match="no catalogue"):
            speak(code)
        with pytest.raises(ValueError, match="no catalogue"), speaking(code):
            pass
    assert language() == ENGLISH


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (("de",), "de"),
        (("de-AT",), "de"),
        (("de_CH.UTF-8",), "de"),
        ((" DE ",), "de"),
        (("en-GB", "de"), "en"),
        ((None, "de"), "de"),
        (("fr", "de"), "de"),
        (("fr",), None),
        (("", None), None),
        (("../de",), None),
        ((), None),
    ],
)
def test_a_tag_matches_a_language(tags: tuple[str | None, ...], found: str | None) -> None:
    assert matching(*tags) == found


async def test_the_language_goes_along_into_threads_and_tasks_and_not_into_others() -> None:
    async def speaker(code: str) -> tuple[str, str, str]:
        speak(code)
        await asyncio.sleep(0)
        return (
            language(),
            await asyncio.to_thread(language),
            await asyncio.create_task(_language()),
        )

    told = await asyncio.gather(*(speaker(code) for code in ("de", "en", "de")))
    assert told == [("de",) * 3, ("en",) * 3, ("de",) * 3]
    assert language() == ENGLISH


async def _language() -> str:
    return language()


# ------------------------------------------------------------------- the catalogues


def texts(of: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Each text, its plural with it, and its translations."""
    return {_forms(m.id): _forms(m.string) for m in of if m.id}


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def fields(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_catalogues_are_in_step_with_the_code() -> None:
    assert catalogue.main(check=True) == 0, "run `make catalogue` and translate what is new"


def test_every_text_in_the_code_can_be_taken_out_of_it() -> None:
    """Inside of f-strings, and as anything but a literal, the tools do not see a text."""
    found = {text for forms in texts(catalogue.extracted()) for text in forms}
    for path in sorted((catalogue.ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in catalogue.KEYWORDS and path.name != "words.py":
                given = node.args[: 2 if node.func.id == "trn" else 1]
                for text in given:
                    where = f"{path.name}:{node.lineno}: {ast.unparse(text)}"
                    if isinstance(text, ast.Constant):
                        assert text.value in found, where
                    else:
                        named = isinstance(text, ast.Name | ast.Subscript | ast.Attribute)
                        assert node.func.id == "tr" and named, where


def test_what_errors_tell_readers_can_be_translated() -> None:
    """Errors of `chains` are worded there, and translated at the door by their words."""
    told = []
    for path in sorted((catalogue.ROOT / "chains").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                refuses = node.func.id in {"QuestionRefused", "UnknownArticle"}
                told += [ast.literal_eval(text) for text in node.args if refuses]
    assert sorted(told) == sorted(PROBLEMS)
    assert {code: f"It {said}." for code, said in WORDS.items()} == FAILED
    assert list(KINDS) == list(Kind)
    assert {part: part.value for part in Part} == PARTS


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_translated(code: str) -> None:
    translations = texts(catalogue.read(catalogue.po(code), code))
    assert translations.keys() == texts(catalogue.extracted()).keys()
    assert [text for text, said in translations.items() if not all(said)] == []
    fuzzy = [m.id for m in catalogue.read(catalogue.po(code), code) if m.fuzzy and m.id]
    assert fuzzy == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_have_the_fields_of_the_text_and_its_ends(code: str) -> None:
    for text, said in texts(catalogue.read(catalogue.po(code), code)).items():
        wanted = fields(text[-1])
        for translation in said:
            # In one form of a plural the number may be a word.
            assert wanted - {"n"} <= fields(translation) <= wanted, (text, translation)
            assert translation == translation.strip() or text[0] != text[0].strip(), translation
            if " " in text[0]:  # not the names of months
                ends = tuple(".?!:")
                assert text[0].endswith(ends) == translation.endswith(ends), (text, translation)


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_the_program_reads_is_what_translators_wrote(code: str) -> None:
    with speaking(code):
        for text, said in texts(catalogue.read(catalogue.po(code), code)).items():
            found = words.catalogue(code)
            if len(text) == 1:
                assert found.gettext(text[0]) == said[0]
            else:
                one, many = text
                assert (found.ngettext(one, many, 1), found.ngettext(one, many, 5)) == said[:2]


def test_every_language_has_a_catalogue_and_every_catalogue_a_language() -> None:
    folders = {path.name for path in words.LOCALE.iterdir() if path.is_dir()}
    assert folders == set(TRANSLATED)
    assert [catalogue.po(code).is_file() for code in TRANSLATED] == [True] * len(TRANSLATED)


# ------------------------------------------------------------------- disclaimers

POINTS: dict[str, dict[str, str]] = {
    "en": {
        "whom it is for": r"For health professionals",
        "what it is for": r"education",
        "where it comes from": r"come from articles",
        "no substitute for judgement": r"do not replace clinical judgement",
        "check the primary literature": r"check them against the primary literature",
        "check current standards": r"standards now in force",
        "no liability": r"accepts no liability for decisions based on this reply",
    },
    "de": {
        "whom it is for": r"Für Angehörige der Gesundheitsberufe",
        "what it is for": r"Fortbildung",
        "where it comes from": r"stammen aus Artikeln",
        "no substitute for judgement": r"ersetzen nicht das klinische Urteil",
        "check the primary literature": r"prüfen Sie die Aussagen anhand der Primärliteratur",
        "check current standards": r"derzeit geltenden Standards",
        "no liability": r"übernimmt keine Haftung für Entscheidungen, die auf dieser Antwort ber",
    },
}
"""What a disclaimer has to say, by language: a new language needs its own list of the same."""


def test_the_points_of_the_disclaimer_are_the_same_in_every_language() -> None:
    assert POINTS.keys() == LANGUAGES.keys()
    assert all(points.keys() == POINTS[ENGLISH].keys() for points in POINTS.values())


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_a_disclaimer_with_every_point_and_the_operator(
    code: str, tmp_path: Path
) -> None:
    own = "disclaimer" if code == ENGLISH else f"disclaimer.{code}"
    assert own in prompts.VARIABLES, f"prompts/{own}.md is missing"
    disclaimer = disclaimer_of(settings_for(tmp_path, operator_name="St. Maria {Ward} 7"))
    with speaking(code):
        text = disclaimer.of(Message((Paragraph("x"),)))
    assert text == prompts.load(own, operator="St. Maria {Ward} 7")
    missing = [name for name, said in POINTS[code].items() if not re.search(said, text)]
    assert missing == []
    assert "St. Maria {Ward} 7" in text
    assert len({text, disclaimer.text}) == 1 + (code != ENGLISH)


def test_the_operator_without_a_name_is_named_in_the_language(tmp_path: Path) -> None:
    disclaimer = disclaimer_of(settings_for(tmp_path))
    assert OPERATOR in disclaimer.text
    with speaking("de"):
        german = disclaimer.of(Message((Paragraph("x"),)))
    assert "Der Betreiber von Corollary übernimmt keine Haftung" in german
    named = disclaimer_of(settings_for(tmp_path, operator_name="Sources"))
    with speaking("de"):
        assert "Sources übernimmt" in named.of(Message((Paragraph("x"),)))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_message_ends_with_the_disclaimer_of_its_language_wherever_it_is_rendered(
    code: str, tmp_path: Path
) -> None:
    disclaimer = disclaimer_of(settings_for(tmp_path))
    with speaking(code):
        message = Message((Paragraph("x " * 3000),))
    ending = disclaimer.of(message)
    assert plain(message, ending).endswith(f"\n\n{ending}")
    parts = telegram(message, ending)
    assert len(parts) > 1
    assert all(part.endswith(f"{ending}</blockquote>") for part in parts)


# ------------------------------------------------------------------- set words in files


@pytest.mark.parametrize("code", TRANSLATED)
@pytest.mark.parametrize("name", ["help", "privacy"])
def test_a_page_says_in_each_language_as_much_as_in_english(name: str, code: str) -> None:
    values = {v: "Ward 7" for v in prompts.VARIABLES[name]}
    english, own = prompts.load(name, **values), prompts.translated(name, code, **values)
    assert own != english
    assert own.count("\n\n") == english.count("\n\n"), "not the same number of paragraphs"
    named = re.compile(r"/[a-z]+")
    assert set(named.findall(own)) == set(named.findall(english))


def test_prompts_for_readers_of_another_language_are_checked_at_the_start() -> None:
    assert prompts.check() == []
    assert {"disclaimer.de", "help.de", "privacy.de"} <= prompts.VARIABLES.keys()
    with pytest.raises(ValueError, match="operator"):
        prompts.translated("disclaimer", "de")
