"""The path of a question, over the sample articles."""

from dataclasses import replace

import pytest

from bot.app import Program
from chains.assistant import MAX_QUESTION_CHARS, readable
from store.article import Caution, Part
from store.conversations import Recalled
from store.errors import QuestionRefused, UnknownArticle
from store.turn import Kind, Turn


async def ask(program: Program, conversation: str, *questions: str) -> Turn:
    for question in questions:
        turn = await program.assistant.ask(conversation, question, "test")
    return turn


async def test_a_first_question_finds_its_article_and_a_follow_up_stays_on_it(
    program: Program,
) -> None:
    turn = await ask(program, "a1", "Can pulsed dye laser be combined with exosomes?")
    assert turn.kind is Kind.ANSWERED
    assert turn.topic is not None and turn.topic.slug == "pdl-exosomes"
    assert turn.read_as is None
    turn = await ask(program, "a1", "and after fractional CO2 laser?")
    assert turn.topic is not None and turn.topic.slug == "pdl-exosomes"
    assert turn.read_as == "after fractional CO2 laser — Pulsed dye laser with exosomes"
    assert any("fractional CO2" in q.text for q in turn.quotes())
    turn = await ask(program, "a1", "how many particles of exosomes should I inject?")
    assert turn.kind is Kind.NOT_COVERED
    assert turn.quotes() == ()
    assert turn.nearest is not None and turn.nearest.slug == "pdl-exosomes"
    assert turn.caution is Caution.UNDER_REVIEW


async def test_naming_another_topic_changes_it_and_says_where_from(program: Program) -> None:
    turn = await ask(program, "a2", "Do exosomes grow hair?", "what about keloids?")
    assert turn.topic is not None and turn.topic.slug == "pdl-scars-keloids"
    assert turn.previous_topic is not None and turn.previous_topic.slug == "topical-exosomes"


@pytest.mark.parametrize(
    ("topic", "question"),
    [
        ("pdl-exosomes", "Is any exosome product FDA-approved?"),
        (
            "exosome-regulation-safety",
            "Is a topical exosome gel regulated differently from an injection in the US?",
        ),
    ],
)
async def test_a_topic_that_answers_is_not_left_for_one_of_nearly_the_same_name(
    program: Program, topic: str, question: str
) -> None:
    await program.assistant.choose_topic("stays", topic, "test")
    turn = await ask(program, "stays", question)
    assert turn.quotes()
    assert turn.topic is not None
    assert turn.topic.slug == topic


@pytest.mark.parametrize(
    ("at", "question", "to"),
    [
        (
            "exosome-regulation-safety",
            "How good is the evidence for laser in keloids?",
            "pdl-scars-keloids",
        ),
        (
            "infantile-hemangioma",
            "What is the evidence for exosomes after laser?",
            "topical-exosomes",
        ),
    ],
)
async def test_a_topic_that_does_not_answer_is_not_left_but_the_one_that_is_named_is_told(
    program: Program, at: str, question: str, to: str
) -> None:
    """The patients are those under discussion: what another article says may not hold for them."""
    await program.assistant.choose_topic("names", at, "test")
    turn = await ask(program, "names", question)
    assert turn.kind is Kind.NOT_COVERED
    assert turn.topic is not None and turn.topic.slug == at
    assert turn.nearest is not None and turn.nearest.slug == to


async def test_a_topic_is_left_when_the_question_says_so(program: Program) -> None:
    await program.assistant.choose_topic("leaves", "pdl-exosomes", "test")
    turn = await ask(program, "leaves", "What about topical exosomes with microneedling?")
    assert turn.kind is Kind.NEW_TOPIC
    assert turn.topic is not None
    assert turn.topic.slug == "topical-exosomes"


async def test_a_medicine_that_the_article_does_not_know_is_not_answered_for(
    program: Program,
) -> None:
    await program.assistant.choose_topic("other", "infantile-hemangioma", "test")
    for question in ("What is the atenolol dose?", "Does sirolimus help if propranolol fails?"):
        assert not (await ask(program, "other", question)).quotes()
    assert (await ask(program, "other", "What is the propranolol dose?")).quotes()


async def test_a_question_that_is_only_a_new_name_carries_the_one_before(program: Program) -> None:
    await program.assistant.choose_topic("a3", "infantile-hemangioma", "test")
    turn = await ask(program, "a3", "how good is the evidence?", "and for actinic keratosis?")
    assert turn.topic is not None and turn.topic.slug == "actinic-keratosis"
    assert turn.text_asked.startswith("how good is the evidence")


async def test_conversations_do_not_mix(program: Program) -> None:
    await program.assistant.choose_topic("a4", "actinic-keratosis", "test")
    await program.assistant.choose_topic("a5", "post-laser-care", "test")
    turn = await ask(program, "a4", "which cream is best?")
    assert turn.topic is not None and turn.topic.slug == "actinic-keratosis"


async def test_more_gives_statements_not_shown_before(program: Program) -> None:
    await program.assistant.choose_topic("a6", "pdl-port-wine", "test")
    first = await ask(program, "a6", "how effective is it?")
    second = await ask(program, "a6", "more")
    cited = {q.text for q in first.quotes() if q.citations}
    assert cited and second.quotes()
    assert not cited & {q.text for q in second.quotes()}
    for _ in range(12):
        last = await ask(program, "a6", "more")
        if last.kind is Kind.NOT_COVERED:
            break
    assert last.reason == "nothing_more"


async def test_sources_and_shorter_repeat_the_last_answer(program: Program) -> None:
    await program.assistant.choose_topic("a7", "pdl-port-wine", "test")
    first = await ask(program, "a7", "does a second pass help?")
    again = await ask(program, "a7", "sources?")
    assert {q.text for q in again.quotes()} == {q.text for q in first.quotes()}
    short = await ask(program, "a7", "shorter")
    assert 0 < len(short.quotes()) <= 2


async def test_why_shows_more_of_the_same_studies(program: Program) -> None:
    await program.assistant.choose_topic("a8", "pdl-scars-keloids", "test")
    first = await ask(program, "a8", "Does adding pulsed dye laser to triamcinolone help?")
    why = await ask(program, "a8", "why?")
    if why.kind is Kind.ANSWERED:
        keys = {s.reference.key for s in first.sources}
        assert {s.reference.key for s in why.sources} & keys


async def test_acts_without_an_answer_before_them_ask_for_a_question(program: Program) -> None:
    for n, act in enumerate(("more", "why?", "sources", "shorter", "yes")):
        turn = await ask(program, f"a9-{n}", act)
        assert turn.kind is Kind.NEEDS_CLARIFICATION
        assert turn.reason == "nothing_to_explain"


async def test_yes_takes_up_the_first_suggestion(program: Program) -> None:
    await program.assistant.choose_topic("a10", "pdl-port-wine", "test")
    first = await ask(program, "a10", "does the stain come back after laser?")
    turn = await ask(program, "a10", "yes please")
    assert turn.question == first.followups[0]


async def test_a_question_that_fits_two_articles_is_asked_back_and_then_answered(
    program: Program,
) -> None:
    turn = await ask(program, "a11", "laser")
    assert turn.kind is Kind.NEEDS_CLARIFICATION
    assert len(turn.options) >= 2
    chosen = await program.assistant.choose_topic("a11", turn.options[1].slug, "test")
    assert chosen is not None and chosen.question == "laser"
    assert chosen.topic is not None and chosen.topic.slug == turn.options[1].slug


async def test_the_number_of_an_option_chooses_it(program: Program) -> None:
    turn = await ask(program, "a12", "laser")
    chosen = await ask(program, "a12", "2")
    assert chosen.topic is not None and chosen.topic.slug == turn.options[1].slug


@pytest.mark.parametrize(
    "question", ["what is the capital of France?", "hello", "thanks", "who won the world cup?"]
)
async def test_what_is_not_a_question_for_the_store_is_out_of_scope(
    program: Program, question: str
) -> None:
    turn = await ask(program, f"a13-{question}", question)
    assert turn.kind is Kind.OUT_OF_SCOPE
    assert turn.quotes() == ()


async def test_a_first_question_without_a_subject_is_asked_for_one(program: Program) -> None:
    turn = await ask(program, "a14", "is it safe?")
    assert turn.kind is Kind.NEEDS_CLARIFICATION
    assert turn.reason == "no_topic"


async def test_an_order_for_one_patient_is_declined_but_the_evidence_given(
    program: Program,
) -> None:
    await program.assistant.choose_topic("a15", "pdl-isotretinoin-acne", "test")
    turn = await ask(program, "a15", "should I give this patient isotretinoin with laser?")
    assert turn.kind is Kind.PATIENT_SPECIFIC
    assert turn.quotes()


async def test_an_emergency_is_urgent_whether_or_not_the_store_speaks_of_it(
    program: Program,
) -> None:
    turn = await ask(program, "a16", "my patient is not breathing after lidocaine")
    assert turn.kind is Kind.URGENT
    turn = await ask(program, "a16b", "I want to kill myself")
    assert (turn.kind, turn.reason) == (Kind.URGENT, "self_harm")


async def test_research_alone_says_that_no_guideline_was_found(program: Program) -> None:
    await program.assistant.choose_topic("a17", "topical-exosomes", "test")
    turn = await ask(program, "a17", "How much better were acne scars with exosomes after CO2?")
    assert turn.sections[0].part is Part.GUIDELINES
    assert "No guideline" in turn.sections[0].statements[0].text


async def test_a_conflict_is_named_when_either_side_is_quoted(program: Program) -> None:
    article = await program.assistant.article("post-laser-care")
    assert article.conflicts
    await program.assistant.choose_topic("a18", "post-laser-care", "test")
    turn = await ask(program, "a18", "Petrolatum or antibiotic ointment?")
    assert turn.conflicts
    numbers = {f"[{s.n}]" for s in turn.sources}
    assert any(n in c for c in turn.conflicts for n in numbers) or "," in turn.conflicts[0]


async def test_numbers_are_given_in_order_of_first_use(program: Program) -> None:
    await program.assistant.choose_topic("a19", "actinic-keratosis", "test")
    turn = await ask(program, "a19", "Which field treatment has the best one-year result?")
    used: list[int] = []
    for quote in turn.quotes():
        for _, numbers in quote.marks:
            used += [n for n in numbers if n not in used]
    assert used == sorted(used)
    assert [s.n for s in turn.sources] == list(range(1, len(turn.sources) + 1))


async def test_start_anew_forgets_the_topic(program: Program) -> None:
    await ask(program, "a20", "Do exosomes grow hair?")
    await program.assistant.start_anew("a20", "test")
    recalled, article = await program.assistant.context("a20")
    assert article is None and recalled.turns == ()


async def test_an_unknown_article_is_named(program: Program) -> None:
    with pytest.raises(UnknownArticle, match="no-such-article"):
        await program.assistant.choose_topic("a21", "no-such-article", "test")


async def test_under_review_is_not_served_when_the_rules_say_so(program: Program) -> None:
    strict = program.assistant.__class__(
        library=program.library,
        database=program.database,
        embeddings=program.embeddings,
        rules=replace(program.desk.recipe.rules, serve_under_review=False),
        rarity=lambda word: 1.0,
    )
    assert await strict.articles() == []
    turn = await strict.ask("a22", "Do exosomes grow hair?", "test")
    assert turn.quotes() == ()


@pytest.mark.parametrize("question", ["", "   ", "?!", "😀😀", "\u202e\u200b", "\x00\x01"])
def test_a_question_without_words_is_refused(question: str) -> None:
    with pytest.raises(QuestionRefused):
        readable(question)


def test_an_overlong_question_is_refused_with_the_limit() -> None:
    with pytest.raises(QuestionRefused, match=f"{MAX_QUESTION_CHARS:,}"):
        readable("why " * 5000)


def test_control_and_direction_changing_characters_are_taken_out() -> None:
    assert readable("kel\u202eoid\x07\nrecur\u200brence?") == "keloid recurrence?"


async def test_it_is_made_ready_without_a_trace(program: Program) -> None:
    turn = await program.assistant.prepare()
    assert turn is not None
    assert turn.sections
    assert turn.id is None
    assert await program.database.recall(turn.conversation_id) == Recalled(turn.conversation_id)
