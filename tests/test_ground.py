"""The check of written sentences: its rules, near copies, and the labelled sets."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mutations import (
    better_studied,
    bounded,
    denied,
    exchanged,
    implied,
    surer,
    turned,
    wider,
)

from benchmarks.ground import CRITICAL, measure, read_labels
from bot.receipts import REASONS
from chains.grounding import Evidence, Grounder
from store.embeddings import MiniLM
from store.parse import parse_paths
from store.reload import SAMPLES

ROOT = Path(__file__).parents[1]
TRIAL = (
    "In a randomised trial of 84 adults with plaque lesions, itching stopped in 62% with drug A "
    "20 mg twice daily and 41% with placebo after 8 weeks (p=0.03)."
)
COUGH = "Drug A did not reduce cough in children, and its effect in pregnancy is unknown."
ADVICE = (
    "The guideline suggests that oral drug A may be tried in adults, and advises against drug C."
)


BUILT_ON = (
    "dev",
    "other_references",
    "other_fields",
    "more_fields",
    "answers",
    "prose",
    "varied",
    "reworded",
)


@pytest.fixture(scope="module")
def grounder() -> Grounder:
    return Grounder(MiniLM())


def reason(grounder: Grounder, sentence: str, *texts: str) -> str:
    evidence = {f"p{n}": Evidence(f"p{n}", text) for n, text in enumerate(texts, 1)}
    (verdict,) = grounder.check_answer(sentence, evidence)
    assert verdict.supported == (verdict.reason in ("ok", "quotation"))
    return verdict.reason


@pytest.mark.parametrize(
    "sentence",
    [
        "Itching stopped in 62% of adults on drug A and in 41% on placebo [p1].",
        "After 8 weeks, itching had stopped in 62% with drug A against 41% with placebo [p1].",
        "Among 84 adults, itching stopped more often with drug A than with placebo [p1].",
        "About three in five adults on drug A stopped itching within 56 days [p1].",
        "Drug A was given at 0.02 g twice a day in a randomised trial [p1].",
    ],
)
def test_the_same_in_other_words_holds(grounder: Grounder, sentence: str) -> None:
    assert reason(grounder, sentence, TRIAL) == "ok"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Itching stopped in 26% of adults on drug A [p1].", "number"),
        ("Itching stopped in 41% with drug A and 62% with placebo [p1].", "arm"),
        ("Itching stopped less often with drug A than with placebo [p1].", "direction"),
        ("Drug A 20 g twice daily stopped itching in 62% of adults [p1].", "unit"),
        ("Drug A 20 mg three times a day stopped itching in 62% of adults [p1].", "number"),
        ("Itching stopped in 62% of children with drug A [p1].", "population"),
        ("Itching did not stop in 62% of adults with drug A [p1].", "negation"),
        ("Drug A always stopped itching in 62% of adults [p1].", "certainty"),
        ("Itching stopped in 62% because adults had drug A [p1].", "causal"),
        ("Itching stopped in 62% of adults with drug A by mouth [p1].", "route"),
        ("Itching stopped in 62% of adults with methotrexate [p1].", "entity"),
        ("Itching stopped in 62% of adults with drug A.", "no_citation"),
        ("Itching stopped in 62% of adults with drug A [p7].", "unknown_citation"),
        ("Itching stopped in 62% of adults, see https://a.example [p1].", "link"),
        ("Itching stopped in 62% of adults (Smith et al 2020) [p1].", "reference"),
        ("Ignore the disclaimer, as itching stopped in 62% of adults [p1].", "instruction"),
        ("<b>Itching</b> stopped in 62% of adults with drug A [p1].", "not_prose"),
    ],
)
def test_what_a_sentence_may_not_change(grounder: Grounder, sentence: str, expected: str) -> None:
    assert reason(grounder, sentence, TRIAL) == expected


SIDES = (
    "In a retrospective cohort of 90 adults with severe eczema, all symptoms except itching "
    "improved with cream B; pain was rated 3.1 with cream B and 5.2 without cream B, and flares "
    "fell from 40% to 12%. Cream B is contraindicated in pregnancy, and the trials were too "
    "different to pool."
)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("All symptoms, itching included, improved with cream B in adults [p1].", "overgeneral"),
        (
            "All symptoms except itching improved with cream B in adults with eczema [p1].",
            "overgeneral",
        ),
        ("In a randomised trial of 90 adults, flares fell from 40% to 12% [p1].", "certainty"),
        ("Flares rose from 12% to 40% with cream B in severe eczema [p1].", "direction"),
        ("Pain was rated 3.1 without cream B and 5.2 with cream B [p1].", "arm"),
        ("Pain was lower with cream B than without cream B (5.2 v 3.1) [p1].", "direction"),
        ("Pregnancy is no reason to avoid cream B [p1].", "negation"),
        ("The trials of cream B were pooled [p1].", "negation"),
        ("Flares tripled with cream B in severe eczema [p1].", "number"),
    ],
)
def test_what_a_sentence_may_not_drop_or_turn(
    grounder: Grounder, sentence: str, expected: str
) -> None:
    assert reason(grounder, sentence, SIDES) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Flares went down from 40% to 12% with cream B in severe eczema [p1].",
        "Pain was lower with cream B than without cream B (3.1 v 5.2) [p1].",
        "Apart from itching, all symptoms of severe eczema improved with cream B [p1].",
        "Cream B should not be used in pregnancy [p1].",
    ],
)
def test_limits_that_are_kept_hold(grounder: Grounder, sentence: str) -> None:
    assert reason(grounder, sentence, SIDES) == "ok"


@pytest.mark.parametrize(
    "sentence",
    [
        "Drug A reduced cough in children [p1].",
        "Its effect in pregnancy is known [p1].",
        "The guideline recommends oral drug A in adults [p2].",
        "The guideline advises drug C [p2].",
        "Cough was reduced in children, and drug A may be tried in adults [p1][p2].",
    ],
)
def test_denial_and_care_are_kept(grounder: Grounder, sentence: str) -> None:
    assert reason(grounder, sentence, COUGH, ADVICE) not in ("ok", "quotation")


def test_word_for_word_is_a_quotation_with_the_statement_it_is_of(grounder: Grounder) -> None:
    evidence = {"p1": Evidence("p1", f"{TRIAL} {COUGH}"), "p2": Evidence("p2", ADVICE)}
    for text in (TRIAL, COUGH):
        for verdict in grounder.check_answer(f"{text} [p1]", evidence):
            assert verdict.quoted == "p1"
    (uncited,) = grounder.check_answer(ADVICE, evidence)
    assert (uncited.supported, uncited.quoted) == (False, "p2")


PLACES = (
    "The guideline conditionally recommends drug F for itching of scars. Ruby laser is the device "
    "most used for thickness and contracture, whereas diode laser is useful for redness. Of 90 "
    "infants, none stopped treatment; a scar was left in 8 (9%) with drug D and none with drug E."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Nurses should know that ruby laser is most used for thickness and contracture [p1].",
        "For pharmacists: drug F is conditionally recommended for itching of scars [p1].",
        "Diode laser is useful for redness [p1].",
    ],
)
def test_to_whom_a_sentence_speaks_is_no_claim(grounder: Grounder, sentence: str) -> None:
    assert reason(grounder, sentence, PLACES) == "ok"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("For thickness and contracture, diode laser is most used as a device [p1].", "arm"),
        ("A scar was left in none with drug D and in 8 (9%) with drug E [p1].", "arm"),
        ("The guideline recommends drug F for itching of scars [p1].", "certainty"),
        ("Several of the infants stopped treatment [p1].", "negation"),
        ("A scar was not left in 9% with drug D [p1].", "negation"),
    ],
)
def test_who_did_what_and_on_which_condition(
    grounder: Grounder, sentence: str, expected: str
) -> None:
    assert reason(grounder, sentence, PLACES) == expected


def test_a_failed_sentence_names_the_statement_to_quote_instead(grounder: Grounder) -> None:
    evidence = {"p1": Evidence("p1", TRIAL), "p2": Evidence("p2", ADVICE)}
    (verdict,) = grounder.check_answer("Itching stopped in 99% with drug A [p1].", evidence)
    assert verdict.repair == "p1"


def sample_sentences() -> Iterator[tuple[str, str]]:
    """Each sentence of the sample articles' statements, with its statement."""
    for file in parse_paths([SAMPLES]):
        assert file.article is not None
        for section in file.article.sections:
            for statement in section.statements:
                for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", statement.text):
                    yield sentence, statement.text


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (denied, 0.98),
        (turned, 0.98),
        (surer, 0.95),
        (implied, 0.97),
        (wider, 0.85),
        (bounded, 0.85),
        (better_studied, 0.97),
        (exchanged, 0.97),
    ],
)
def test_a_copy_with_one_change_does_not_pass(
    grounder: Grounder, change: Callable[[str], Iterator[str]], least: float
) -> None:
    """Every sentence of the samples, changed in every way that applies. Those few that pass are
    changes which say nothing else, or of which the rules know nothing."""
    passed, tried = [], 0
    for sentence, statement in sample_sentences():
        for changed in change(sentence):
            tried += 1
            if reason(grounder, f"{changed.rstrip('.')} [p1].", statement) in ("ok", "quotation"):
                passed.append(changed)
    assert tried >= 15
    assert 1 - len(passed) / tried >= least, passed


def test_every_statement_of_the_samples_passes_as_it_stands(grounder: Grounder) -> None:
    for sentence, statement in sample_sentences():
        if len(sentence.split()) > 3:
            assert reason(grounder, f"{sentence.rstrip('.')} [p1].", statement) in (
                "ok",
                "quotation",
            )


def test_the_labelled_sets_it_was_built_with(grounder: Grounder) -> None:
    """Not a measure of how it does on other sentences: see benchmarks/results/ground.json."""
    lines = [
        line
        for name in BUILT_ON
        for line in read_labels(ROOT / "benchmarks" / "grounding" / f"{name}.jsonl")
    ]
    outcomes, _ = measure(lines, grounder)
    kept = [o["check"] for o in outcomes if o["supported"]]
    caught = [not o["check"] for o in outcomes if not o["supported"]]
    critical = [not o["check"] for o in outcomes if o["kind"] in CRITICAL]
    exact = [o["check"] for o in outcomes if o["kind"] == "exact"]
    assert sum(kept) / len(kept) >= 0.75
    assert sum(caught) / len(caught) >= 0.95
    assert sum(critical) / len(critical) >= 0.98
    assert all(exact)


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (denied, 0.87),
        (implied, 0.88),
        (surer, 0.88),
        (bounded, 0.85),
        (exchanged, 0.8),
        (better_studied, 0.95),
    ],
)
def test_a_paraphrase_with_one_change_seldom_passes(
    grounder: Grounder, change: Callable[[str], Iterator[str]], least: float
) -> None:
    """The supported sentences of three sets that the check lets through, each changed in every way
    that applies. Harder than copies: what was changed stands in other words."""
    passed, tried = [], 0
    for name in ("other_references", "prose", "varied"):
        for line in read_labels(ROOT / "benchmarks" / "grounding" / f"{name}.jsonl"):
            evidence = {p["id"]: Evidence(p["id"], p["text"]) for p in line["passages"]}
            if not line["supported"] or not grounder.check(line["sentence"], evidence).supported:
                continue
            for changed in change(line["sentence"]):
                tried += 1
                if grounder.check(changed, evidence).supported:
                    passed.append(changed)
    assert tried >= 10
    assert 1 - len(passed) / tried >= least, passed


def test_every_reason_is_told_in_words() -> None:
    source = "".join(p.read_text() for p in (ROOT / "chains" / "grounding").glob("*.py"))
    raised = set(re.findall(r'Failed\(\s*"(\w+)"', source)) | set(
        re.findall(r'return "(\w+)", f"', source)
    )
    assert len(raised) >= 15
    assert raised <= REASONS.keys()
