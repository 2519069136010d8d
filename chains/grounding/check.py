"""Whether a sentence says what the statements that it cites say, and no more.

The sentence and the statements are taken apart in the same way (`claims`), and what the sentence
has must be in the statements: amounts bound to the same things, denial, direction, sides of a
comparison, people, routes, certainty, names. What cannot be matched fails: the check is built to
reject what it does not understand, since a quotation can always stand instead.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chains.grounding.address import unaddressed
from chains.grounding.claims import Claim, Word, claims_of, parts_of
from chains.grounding.comparison import (
    check_alone,
    check_as,
    check_contrasts,
    check_crossed,
    check_difference,
    check_directions,
    check_figures,
    check_opposites,
    check_paired,
    check_side_of_clause,
    check_sides,
    check_subject,
    check_than,
    check_unlike,
)
from chains.grounding.consistent import check_consistent, check_strengths
from chains.grounding.denial import check_denial
from chains.grounding.edits import changed
from chains.grounding.equal import fits, is_year
from chains.grounding.failed import Failed
from chains.grounding.figures import (
    check_amounts,
    check_doses,
    check_grades,
    check_multiples,
    check_ordinals,
)
from chains.grounding.form import check_form
from chains.grounding.holders import check_holders
from chains.grounding.likeness import check_names, new_words, shares_with, taken_from
from chains.grounding.limits import (
    are_of_one_design,
    check_advice,
    check_condition,
    check_design,
    check_exceptions,
    check_limits,
)
from chains.grounding.people import (
    check_compounds,
    check_conditions,
    check_kinds,
    check_people,
    check_routes,
)
from chains.grounding.phrases import canonical
from chains.grounding.rhythm import check_rhythm
from chains.grounding.rows import check_rows
from chains.grounding.sentences import parts_by_citation, read_sentence, sentences_of
from chains.grounding.stance import check_instead, check_stance
from chains.grounding.strength import check_strength
from chains.grounding.thesaurus import is_known
from chains.grounding.words import CLAIMS

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statement, word for word, under the key by which it is cited."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check found of one sentence."""

    text: str
    """The sentence without its markers."""
    citations: tuple[str, ...]
    """The keys that it cites, as written."""
    supported: bool
    reason: str
    """A code: ok, quotation, or what is wrong."""
    detail: str = ""
    repair: str | None = None
    """The key of the statement to quote instead; None: nothing fits."""
    quoted: str | None = None
    """The key of the statement that it repeats word for word, whole or in part, cited or not."""


_CAUSES = frozenset({w for w, kind in CLAIMS.items() if kind == "causal"}) - {
    "so", "since", "led", "leads", "lead", "leading", "through", "via", "result", "results", "due", "cause"
}  # fmt: skip


_THEREFORE = frozenset("because therefore thus hence consequently so owing due since".split())
_ADDED = re.compile(
    r"(?:(?:about|in|by|to|at|of|only|nearly|almost|just|with|against)\s)*", re.IGNORECASE
)
_OF_STUDIES = re.compile(
    r"\b(?:two|three) (?:separate |different |further )?(?:series|trials|studies|cohorts|reports)\b",
    re.IGNORECASE,
)


_MOST_NEW = 0.34
_MOST_NEW_OF_MANY = 0.42
"""Share of meaningful words that no cited statement has, up to which a sentence can pass."""


class Grounder:
    """Checks sentences, by rules. The embedding model is asked only how rare a word is: likeness of
    words told "tacrolimus" from "sirolimus" worse than "judged" from "rated" (cosine .62 and .46)."""

    def __init__(self, embeddings: "Embeddings | None" = None) -> None:
        self._rarity: Callable[[str], float] | None = getattr(embeddings, "rarity", None)

    def check_answer(self, text: str, evidence: Mapping[str, Evidence]) -> list[Verdict]:
        """A verdict for each sentence of the answer, in order."""
        return [self.check(sentence, evidence) for sentence in sentences_of(text)]

    def check(self, sentence: str, evidence: Mapping[str, Evidence]) -> Verdict:
        """Whether the sentence, with its markers, says what the statements that it cites say."""
        text, citations = read_sentence(sentence, evidence)
        cited = [evidence[c] for c in citations if c in evidence]
        try:
            if not citations:
                raise Failed("no_citation")
            if len(cited) < len(citations):
                missing = next(c for c in citations if c not in evidence)
                raise Failed("unknown_citation", f"{missing[:20]} was not given")
            if quoted := _quoted(text, cited):
                return Verdict(text, citations, True, "quotation", quoted=quoted)
            check_form(text, " ".join(e.text for e in cited))
            parts = [
                (
                    canonical(unaddressed(part, [e.text for e in cited])),
                    [canonical(evidence[k].text) for k in keys],
                )
                for part, keys in parts_by_citation(sentence, evidence)
            ]
            if not self._parts_hold(parts):
                self._examine(
                    canonical(unaddressed(text, [e.text for e in cited])),
                    [canonical(e.text) for e in cited],
                )
        except Failed as e:
            others = cited or list(evidence.values())
            quoted = None if citations else _quoted(text, others)
            repair = _best(text, others)
            return Verdict(text, citations, False, e.reason, e.detail, repair, quoted)
        return Verdict(text, citations, True, "ok")

    def _parts_hold(self, parts: Sequence[tuple[str, Sequence[str]]]) -> bool:
        """Whether each part of a sentence holds against what is cited right behind it. What only adds
        a figure ("and 44% with B") is of what was said before the first one."""
        if not parts or any(
            w.form in _THEREFORE for p, _ in parts for c in claims_of(p) for w in c.words
        ):
            return False
        head = ""
        for n, (part, cited) in enumerate(parts):
            text = _OF_STUDIES.sub("series", part)
            said = claims_of(text)
            if len(said) != 1:
                return False
            amounts = said[0].amounts
            if n == 0:
                head = text[: amounts[0].start] if amounts else ""
            elif head and amounts and _ADDED.fullmatch(text[: amounts[0].start]):
                said = claims_of(f"{head}{text[amounts[0].start :]}")
            try:
                self._holds(said[0], cited)
            except Failed:
                return False
        return True

    def _examine(self, text: str, cited: Sequence[str]) -> None:
        said = claims_of(text)
        if len(said) != 1:
            raise Failed("not_prose", "not one sentence")
        claim = said[0]
        try:
            self._holds(claim, cited)
        except Failed:
            if len(cited) == 1:
                raise
            if not self._holds_together(claim, cited):
                self._merged(claim, cited)
            return
        # One of several cited says all of it; the others must at least belong.
        if any(not shares_with(claim, claims_of(statement)) for statement in cited):
            raise Failed("merged_studies", "a cited statement has nothing of it")

    def _holds_together(self, claim: Claim, cited: Sequence[str]) -> bool:
        """Whether statements of one study say all of it between them. What is called the cause of
        what is looked for in one alone."""
        statements = [claims_of(s) for s in cited]
        causal = any(w.form in _CAUSES for w in claim.words)
        if causal or not _one_study(statements):
            return False
        try:
            self._against(claim, [c for statement in statements for c in statement])
        except Failed:
            return False
        return self._of_one_subject(claim, statements)

    def _of_one_subject(self, claim: Claim, statements: Sequence[Sequence[Claim]]) -> bool:
        """Whether each amount is in a statement that has what the clause names beside it."""
        for amount in claim.amounts:
            if is_year(amount):
                continue
            near = [w for w in claim.words if w.start <= amount.start][-1:] or claim.words[:1]
            named = {
                w.name
                for w in claim.words
                if w.clause == near[0].clause and self._is_named(claim, w)
            }
            having = [
                s for s in statements if any(fits(claim, amount, a) for c in s for a in c.amounts)
            ]
            if having and not any(named <= {w.name for c in s for w in c.words} for s in having):
                return False
        return True

    def _is_named(self, claim: Claim, word: Word) -> bool:
        """Whether it is the name of a drug or a study."""
        if not word.content or not word.form.isalpha() or len(word.form) < 5:
            return False
        capital = claim.text[word.start : word.start + len(word.form)].isupper()
        rare = self._rarity is not None and self._rarity(word.form) >= 1.0
        return capital or (rare and not is_known(word.stem))

    def _merged(self, claim: Claim, cited: Sequence[str]) -> None:
        """A sentence from several statements: each of its parts must hold against one of them, and
        no part may be made the reason or the measure of another."""
        failed = Failed("merged_studies", "no cited statement says all of it")
        statements = [claims_of(s) for s in cited]
        for parts in _divided(claim.text):
            used: list[int] = []
            try:
                for part in parts:
                    used.append(self._holds(claims_of(part)[0], cited))
            except Failed as e:
                failed = e
                continue
            if len(set(used)) == len(cited) and self._shares_subject(
                claims_of(parts[0])[0],
                claims_of(parts[1])[0],
                statements[used[0]],
                statements[used[1]],
            ):
                return
            failed = Failed("merged_studies", "a cited statement says none of it")
        raise failed

    def _shares_subject(
        self, one: Claim, other: Claim, first: Sequence[Claim], second: Sequence[Claim]
    ) -> bool:
        """Whether the second part, if it names nothing of its own, can be of what the first names."""
        if any(self._is_named(other, w) for w in other.words):
            return True
        there = {w.name for c in second for w in c.words}
        named = {w.name for w in one.words if self._is_named(one, w)}
        return not named or bool(named & there) or len({w.name for w in one.telling} & there) >= 2

    def _holds(self, claim: Claim, cited: Sequence[str]) -> int:
        """Which of the cited statements says this; Failed, as of the first, when none does."""
        failed: Failed | None = None
        for i, statement in enumerate(cited):
            try:
                self._against(claim, claims_of(statement))
                return i
            except Failed as e:
                failed = failed or e
        assert failed is not None
        raise failed

    def _against(self, claim: Claim, statement: Sequence[Claim]) -> None:
        """Raises Failed unless the statement says what the claim says."""
        if found := changed(claim, statement):
            raise Failed(*found)
        about = taken_from(claim, statement)
        new = new_words(claim, statement)
        check_names(claim, new, statement, self._rarity)
        check_amounts(claim, statement)
        check_consistent(claim)
        check_strengths(claim, statement)
        check_doses(claim, statement)
        check_multiples(claim, statement)
        check_ordinals(claim, statement)
        check_grades(claim, statement)
        check_figures(claim, statement)
        check_difference(claim, about)
        check_people(claim, statement, about)
        check_conditions(claim, statement, new)
        check_kinds(claim, statement)
        check_compounds(claim, statement)
        check_routes(claim, statement)
        check_strength(claim, statement, about, new)
        check_design(claim, statement)
        check_exceptions(claim, statement)
        check_advice(claim, statement)
        check_stance(claim, statement)
        check_instead(claim, statement)
        check_limits(claim, statement)
        check_condition(claim, about)
        check_sides(claim, statement)
        check_than(claim, statement)
        check_unlike(claim, statement)
        check_as(claim, about)
        check_alone(claim, statement)
        check_paired(claim, statement)
        check_side_of_clause(claim, statement)
        check_opposites(claim, new, statement)
        check_contrasts(claim, statement)
        check_crossed(claim, statement)
        check_subject(claim, statement)
        check_holders(claim, statement)
        check_rows(claim, statement)
        check_rhythm(claim, statement)
        check_directions(claim, statement, about)
        check_denial(claim, statement, about)
        said = len(claim.telling)
        if said and len(new) > max(
            1 if said > 4 else 0, (_MOST_NEW_OF_MANY if said >= 7 else _MOST_NEW) * said
        ):
            raise Failed("unlike", f"“{new[0].form}” is in no cited statement")
        if not shares_with(claim, statement):
            raise Failed("unlike", "another subject")


_PLAIN_MARKS = str.maketrans("’‘“”–—‑", "''\"\"---")


def _plain(text: str) -> str:
    return " ".join(text.translate(_PLAIN_MARKS).split()).strip(" .").casefold()


def _quoted(text: str, among: Sequence[Evidence]) -> str | None:
    """The key of the statement of which the text is all, or one or more whole sentences."""
    said = _plain(text.strip('"“”'))
    for e in among:
        if said == _plain(e.text):
            return e.id
        if len(said.split()) < 3:
            continue
        sentences = parts_of(e.text)
        runs = (
            " ".join(sentences[i:j])
            for i in range(len(sentences))
            for j in range(i + 1, len(sentences) + 1)
        )
        if any(said == _plain(run) for run in runs):
            return e.id
    return None


def _best(text: str, among: Sequence[Evidence]) -> str | None:
    """The statement that shares most with the sentence; None when none shares a thing."""
    own = {w.name for c in claims_of(canonical(text[:700])) for w in c.telling}
    scored = [
        (len(own & {n for c in claims_of(canonical(e.text)) for n in c.names}), -i)
        for i, e in enumerate(among)
    ]
    if not scored:
        return None
    most, at = max(scored)
    return among[-at].id if most >= 2 or len(among) == 1 else None


_NAMED = re.compile(
    r"\b(?:[A-Z]{3,}\w*(?:-[A-Z\d]+)*|[A-Z][a-z]+[A-Z]\w*|(?:19|20)\d\d)\b|\b\d{2,}(?= (?:\w+ ){0,2}patients)"
)


_SIZE = re.compile(
    r"\b(\d[\d,]*|[a-z]+teen|twenty|thirty)(?= (?:[\w-]+ ){0,2}(?:patients|adults|women|children|infants|trials|people|"
    r"participants)\b)"
)


def _one_study(statements: Sequence[Sequence[Claim]]) -> bool:
    """Whether the statements are of one study or document: they share a name or a year, and half of
    the fewer words."""
    first, *others = [
        (
            {m for c in s for m in _NAMED.findall(c.text)},
            {w.name for c in s for w in c.telling},
        )
        for s in statements
    ]
    given = [" ".join(c.text for c in s) for s in statements]
    if any(
        re.search(
            r"\b(?:another|second|different) (?:\w+ )?(?:trial|study|cohort|series|review)", g
        )
        for g in given
    ):
        return False
    if not all(are_of_one_design(given[0], g) for g in given[1:]):
        return False
    sizes = [set(_SIZE.findall(g)) for g in given]
    if all(sizes) and not frozenset.intersection(*map(frozenset, sizes)):
        return False
    capitals = [{n for n in named if n.isupper()} for named, _ in [first, *others]]
    if all(capitals) and not frozenset.intersection(*map(frozenset, capitals)):
        return False
    return all(
        first[0] & named or len(first[1] & words) >= 0.33 * min(len(first[1]), len(words))
        for named, words in others
    )


_DIVIDE = re.compile(
    r"\s*(?:;|,?\s*\b(?:and by|and|but|yet|while|whereas|although|though|at the (?:cost|price|expense) of|"
    r"in which|in whom|of which)\b|,?(?=\s*\bwithout\b))\s+",
    re.IGNORECASE,
)


_NO_CLAIM = re.compile(
    r"^(?:in|among|for|of|with|after|at|during|by|on|from)\b[^,]*$", re.IGNORECASE
)


def _divided(text: str) -> list[tuple[str, str]]:
    """The ways to cut a sentence in two that could each be said alone, the middle ones first. What
    only says where something was seen is no part of its own."""
    cuts = [m for m in _DIVIDE.finditer(text) if 12 <= m.start() <= len(text) - 12]
    cuts.sort(key=lambda m: abs((m.start() + m.end()) / 2 - len(text) / 2))
    pairs = [(text[: m.start()], text[m.end() :]) for m in cuts[:6]]
    return [
        (a, b)
        for a, b in pairs
        if not _NO_CLAIM.match(a.strip()) and not _NO_CLAIM.match(b.strip())
    ]
