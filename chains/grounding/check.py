"""Whether a sentence says what the statements that it cites say, and no more.

The sentence and the statements are taken apart in the same way (`claims`), and what the sentence
has must be in the statements: amounts bound to the same things, denial, direction, sides of a
comparison, people, routes, certainty, names. What cannot be matched fails: the check is built to
reject what it does not understand, since a quotation can always stand instead.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from chains.grounding.claims import Claim, Word, claims_of, is_harmless
from chains.grounding.edits import changed
from chains.grounding.phrases import canonical
from chains.grounding.quantities import Amount
from chains.grounding.sentences import read_sentence, sentences_of
from chains.grounding.words import (
    ABOUT,
    NEGATORS,
    CLAIMS,
    CONTRASTS,
    DOUBT,
    FREQUENCY_HEDGES,
    GENERAL_PEOPLE,
    GENERIC,
    LIKE_CLAIMS,
    META,
    NOT_PEOPLE,
    OPPOSITE,
    POPULATIONS,
    stems_of,
)
from chains.grounding.thesaurus import covers, is_known, names_a_thing, opposites
from store.lexical import FUNCTION_WORDS, stem

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


class Failed(Exception):
    """The sentence does not hold, and why."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


_LINK = re.compile(
    r"https?:|www\.|\bdoi\b|\bpmid\b|\b10\.\d{4,}/|\b[\w-]+\.(?:com|org|net|io|gov|edu|info|co|eu|uk)\b"
    r"|\S@\S|\bt\.me\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"\bet al\b|\([A-Z][\w-]+,? (?:19|20)\d\d\)|\bref(?:erence)?s?\b", re.IGNORECASE
)
_TYPOGRAPHY = frozenset("–—‘’“”…°±×≤≥µμ²³½¼¾%‐‑−\u00a0\u202f\u2009éèêëàâäöüïîôçñåøæß")
_MARKUP = frozenset("<>{}|`*_#~\\^=[]")
_MOST_NEW = .3
"""Share of meaningful words that no cited statement has, up to which a sentence can pass."""
_RARE = 0.999
"""Rarity from which a word is no ordinary English: a name of a drug, a disease, a place."""


_HEDGED = DOUBT | {"apparently", "seemingly", "reportedly", "roughly"}
_NO_NAMES = frozenset({"inject", "dose", "lesion", "treat", "patients", "apply"})
_SPECIAL = 0.86
"""Rarity from which the name of a thing is one that matters."""


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
            _form(text, " ".join(e.text for e in cited))
            self._examine(canonical(text), [canonical(e.text) for e in cited])
        except Failed as e:
            others = cited or list(evidence.values())
            quoted = None if citations else _quoted(text, others)
            repair = _best(text, others)
            return Verdict(text, citations, False, e.reason, e.detail, repair, quoted)
        return Verdict(text, citations, True, "ok")

    def _examine(self, text: str, cited: Sequence[str]) -> None:
        said = claims_of(text)
        if len(said) != 1:
            raise Failed("not_prose", "not one sentence")
        claim = said[0]
        alone: Failed | None = None
        together = [c for statement in cited for c in claims_of(statement)]
        for statement in cited:
            try:
                self._against(claim, claims_of(statement))
                if len(cited) == 1:
                    return
                # One of several cited says all of it; the others must at least belong.
                break
            except Failed as e:
                alone = alone or e
        else:
            if len(cited) == 1:
                assert alone is not None
                raise alone
            causal = any(CLAIMS.get(w.form) == "causal" for w in claim.words)
            if not causal and _one_study([claims_of(s) for s in cited]):
                try:
                    self._against(claim, together)
                except Failed:
                    pass
                else:
                    return
            self._merged(claim, cited)
            return
        for statement in cited:
            if not _shares(claim, claims_of(statement)):
                raise Failed("merged_studies", "a cited statement has nothing of it")

    def _merged(self, claim: Claim, cited: Sequence[str]) -> None:
        """A sentence from several statements: each of its parts must hold against one of them, and
        no part may be made the reason or the measure of another."""
        failed = Failed("merged_studies", "no cited statement says all of it")
        for parts in _divided(claim.text):
            used: set[int] = set()
            try:
                for part in parts:
                    used.add(self._holds(part, cited))
            except Failed as e:
                failed = e
                continue
            if len(used) == len(cited):
                return
            failed = Failed("merged_studies", "a cited statement says none of it")
        raise failed

    def _holds(self, part: str, cited: Sequence[str]) -> int:
        """Which of the cited statements says this part; Failed when none does."""
        failed: Failed | None = None
        subject = claims_of(part)
        for i, statement in enumerate(cited):
            try:
                self._against(subject[0], claims_of(statement))
                return i
            except Failed as e:
                failed = failed or e
        assert failed is not None
        raise failed

    def _against(self, claim: Claim, statement: Sequence[Claim]) -> None:
        """Raises Failed unless the statement says what the claim says."""
        if found := changed(claim, statement):
            raise Failed(*found)
        about = _about(claim, statement)
        new = self._new_words(claim, statement)
        _entities(claim, new, statement, self._rarity)
        _amounts(claim, statement, about)
        _adjacent(claim, statement)
        _ordinals(claim, statement)
        _grades(claim, statement)
        _figures(claim, statement)
        _no_difference(claim, about)
        _populations(claim, statement, about)
        _conditions(claim, statement, new)
        _exclusive(claim, statement)
        _routes(claim, statement)
        _strength(claim, statement, about)
        _sides(claim, statement)
        _contrasts(claim, statement)
        _crossed(claim, statement)
        _frequency(claim, statement)
        _directions(claim, statement, about)
        _denial(claim, statement, about)
        meaningful = [w for w in claim.words if w.content and w.stem not in GENERIC]
        if meaningful and len(new) > max(
            1 if len(meaningful) > 4 else 0, _MOST_NEW * len(meaningful)
        ):
            raise Failed("unlike", f"“{new[0].form}” is in no cited statement")
        if not _shares(claim, statement):
            raise Failed("unlike", "another subject")

    def _new_words(self, claim: Claim, statement: Sequence[Claim]) -> list[Word]:
        """The words of the claim that the statement has in no form."""
        have = {w.name for c in statement for w in c.words}
        forms = {w.form for c in statement for w in c.words}
        stems = {w.stem for c in statement for w in c.words}
        short = _initials(statement)
        spelled = _spelled(claim, statement)
        measured = {
            w.start for w in claim.words for a in claim.amounts if a.start <= w.start < a.end
        }
        new: list[Word] = []
        for word in claim.words:
            if not word.content or word.name in have or word.stem in GENERIC:
                continue
            if word.form in _HEDGED:
                continue  # it claims less
            if word.form[0].isdigit() or word.start in spelled or word.start in measured:
                continue
            if _abbreviates(claim.text[word.start : word.start + len(word.form)], forms):
                continue
            if word.form in short or word.form.rstrip("s") in short | forms:
                continue
            if any(f.startswith("re" + word.stem) for f in forms):
                continue
            if (
                len(word.stem) >= 5
                and any(
                    s[:5] == word.stem[:5] and abs(len(s) - len(word.stem)) <= 4
                    for s in stems
                    if len(s) >= 5
                )
                and not _is_denied_form(word.form, forms)
            ):
                continue
            if word.form in CLAIMS and _has_like(word.form, forms):
                continue
            if not covers(word.stem).isdisjoint(stems) and opposites(word.stem).isdisjoint(stems):
                continue
            if any(
                len(f) > len(word.form) > 3
                and f.endswith(word.form)
                and not _is_denied_form(word.form, {f})
                for f in forms
            ):
                continue
            new.append(word)
        return new


# ------------------------------------------------------------------------------- the form

_PLAIN_MARKS = str.maketrans("’‘“”–—‑", "''\"\"---")


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
        sentences = [c.text for c in claims_of(e.text)]
        runs = (
            " ".join(sentences[i:j])
            for i in range(len(sentences))
            for j in range(i + 1, len(sentences) + 1)
        )
        if any(said == _plain(run) for run in runs):
            return e.id
    return None


def _form(text: str, given: str) -> None:
    """Raises Failed for what is no plain sentence, or has marks that the statements do not have."""
    if _LINK.search(text) and not _LINK.search(given):
        raise Failed("link")
    reference = _REFERENCE.search(text)
    if reference and reference[0].lower() not in given.lower():
        raise Failed("reference", reference[0])
    odd = [
        c
        for c in text
        if not (c.isascii() and c.isprintable()) and c not in _TYPOGRAPHY and c not in given
    ]
    if odd:
        raise Failed("not_prose", "signs that no statement has")
    if any(c in _MARKUP and c not in given for c in text):
        raise Failed("not_prose", "markup")
    words = re.findall(r"[^\W\d_]+", text.lower())
    theirs = set(re.findall(r"[^\W\d_]+", given.lower()))
    own = next((w for w in words if w in META and w not in theirs), None)
    if own:
        raise Failed("instruction", f"“{own}”")
    if len([w for w in words if w not in FUNCTION_WORDS]) < 2 or text.rstrip().endswith("?"):
        raise Failed("not_prose", "no statement")
    if len(text) > 700:
        raise Failed("not_prose", "too long")


def _best(text: str, among: Sequence[Evidence]) -> str | None:
    """The statement that shares most with the sentence; None when none shares a thing."""
    own = {
        w.name
        for c in claims_of(text[:700])
        for w in c.words
        if w.content and w.stem not in GENERIC
    }
    scored = [
        (len(own & {n for c in claims_of(e.text) for n in c.names}), -i)
        for i, e in enumerate(among)
    ]
    if not scored:
        return None
    most, at = max(scored)
    return among[-at].id if most >= 2 or len(among) == 1 else None


# ------------------------------------------------------------------------------- what is spoken of


def _about(claim: Claim, statement: Sequence[Claim]) -> list[Claim]:
    """The sentences of the statement that the claim takes up."""
    own = {w.name for w in claim.words if w.content and w.stem not in GENERIC}
    shared = [len(own & c.names) for c in statement]
    most = max(shared, default=0)
    return [c for c, n in zip(statement, shared, strict=True) if n and n >= 0.6 * most] or list(
        statement
    )


def _shares(claim: Claim, statement: Sequence[Claim]) -> bool:
    own = {w.name for w in claim.words if w.content and w.stem not in GENERIC}
    theirs = {n for c in statement for n in c.names}
    return len(own & theirs) >= min(2, len(own))


def _initials(statement: Sequence[Claim]) -> set[str]:
    """Letters that runs of two to six words begin with."""
    found: set[str] = set()
    for c in statement:
        for passed in (frozenset[str](), FUNCTION_WORDS):
            letters = "".join(w.form[0] for w in c.words if w.form not in passed)
            found |= {letters[i : i + n] for n in range(2, 7) for i in range(len(letters) - n + 1)}
    return found


def _spelled(claim: Claim, statement: Sequence[Claim]) -> set[int]:
    """Where the claim writes out letters that the statement has ("AAD")."""
    letters = {
        m.lower() for c in statement for m in re.findall(r"\b[A-Z][A-Za-z]?[A-Z]{1,4}s?\b", c.text)
    }
    found: set[int] = set()
    words = [w for w in claim.words if w.form not in FUNCTION_WORDS]
    for n in range(2, 7):
        for i in range(len(words) - n + 1):
            run = words[i : i + n]
            if "".join(w.form[0] for w in run) in letters:
                found |= {w.start for w in run}
    return found


_NAMED = re.compile(r"\b(?:[A-Z]{3,}\w*|[A-Z][a-z]+[A-Z]\w*|(?:19|20)\d\d)\b|\b\d{2,}(?= (?:\w+ ){0,2}patients)")


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
            {w.name for c in s for w in c.words if w.content and w.stem not in GENERIC},
        )
        for s in statements
    ]
    given = [" ".join(c.text for c in s) for s in statements]
    if any(re.search(r"\b(?:another|second|different) (?:\w+ )?(?:trial|study|cohort|series|review)", g) for g in given):
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


def _abbreviates(word: str, forms: set[str]) -> bool:
    """ "FU" for fluorouracil: capitals that go through a long word from its first letter on."""
    if not (2 <= len(word) <= 4 and word.isupper()):
        return False
    pattern = re.compile(".*".join(word.lower()))
    return any(len(f) >= 8 and pattern.match(f) for f in forms)


def _is_denied_form(word: str, forms: set[str]) -> bool:
    """ "effective" beside "ineffective", "ablative" beside "non-ablative"."""
    prefixes = ("un", "in", "im", "non", "ir", "il", "dis", "anti", "de", "hypo", "hyper")
    if word in forms:
        return False
    return any(
        p + word in forms or word.removeprefix(p) in forms - {word}
        for p in prefixes
        if len(word) > 4
    )


def _has_like(word: str, forms: set[str]) -> bool:
    return word in forms or any(word in group and group & forms for group in LIKE_CLAIMS)


def _entities(
    claim: Claim,
    new: Sequence[Word],
    statement: Sequence[Claim],
    rarity: Callable[[str], float] | None,
) -> None:
    """Names, and rare words, must be the statement's."""
    first = claim.words[0].start if claim.words else 0
    for word in new:
        raw = claim.text[word.start : word.start + 1]
        named = raw.isupper() and word.start != first
        digits = any(c.isdigit() for c in word.form)
        known = is_known(word.stem)
        rare = not known and rarity is not None and rarity(word.form) >= _RARE
        thing = (
            names_a_thing(word.stem)
            and word.name not in _NO_NAMES
            and (rarity is None or rarity(word.form) >= _SPECIAL)
        )
        if named or digits or (rare and len(word.form) > 4) or thing:
            raise Failed("entity", f"“{word.form}” is in no cited statement")


# ------------------------------------------------------------------------------- amounts


def _hedged(claim: Claim, amount: Amount) -> bool:
    earlier = [
        a for a in claim.amounts if a.start <= amount.start and a.dimension == amount.dimension
    ]
    return any(
        not ABOUT.isdisjoint(
            re.findall(r"[a-z]+", claim.text[max(0, a.start - 22) : a.start].lower())[-3:]
        )
        for a in earlier
    )


def _equal(own: Amount, other: Amount, hedged: bool) -> bool:
    if own.vague or other.vague:
        near = 5.0 if hedged else 0.6
        return abs(own.low - other.low) <= near and abs(own.high - other.high) <= near
    if other.derived and not own.derived:
        return abs(own.low - other.low) <= 0.51
    share = 0.09 if hedged else 0.003
    whole = own.low == int(own.low) and other.low == int(other.low)
    if own.dimension == "count" and whole and (not hedged or 1900 <= own.low <= 2100):
        share = 0.0
    if own.dimension == "time":
        share = max(share, 0.015)
    pairs = ((own.low, other.low), (own.high, other.high))
    return all(abs(a - b) <= share * max(abs(a), abs(b), 1e-12) for a, b in pairs)


def _fits(claim: Claim, own: Amount, other: Amount) -> bool:
    """Whether an amount of the statement is the one that the claim gives."""
    if own.dimension != other.dimension:
        one = own.plain or (own.low, own.high, own.dimension)
        two = other.plain or (other.low, other.high, other.dimension)
        # "10 mg" and, elsewhere in the sentence, "a day": the rhythm is looked at on its own.
        return one[2] == two[2] and all(
            abs(a - b) <= 0.003 * max(abs(a), abs(b)) for a, b in zip(one[:2], two[:2], strict=True)
        )
    hedged = _hedged(claim, own)
    if own.vague and own.dimension == "share":
        said = claim.text[max(0, own.start - 12) : own.start].lower()
        if re.search(r"\b(?:more than|over|above)\s(?:an?\s)?$", said):
            return own.low < other.low <= own.low + 25
        if re.search(r"\b(?:less than|fewer than|under|below)\s(?:an?\s)?$", said):
            return own.low - 25 <= other.low < own.low
    if _equal(own, other, hedged):
        return True
    before = claim.text[max(0, own.start - 18) : own.start].lower()
    if own.low == own.high and other.low < other.high:
        if re.search(r"\b(?:up to|at most|maximum(?: of)?|to)\s*$", before):
            return bool(abs(own.low - other.high) <= 0.003 * other.high)
        if re.search(r"\b(?:at least|from|minimum(?: of)?|as (?:little|few|early) as)\s*$", before):
            return bool(abs(own.low - other.low) <= 0.003 * max(other.low, 1e-12))
    return False


def _amounts(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    theirs = [(c, a) for c in statement for a in c.amounts]
    for own in claim.amounts:
        if own.derived or own.dimension == "none":
            continue  # its two counts are looked for; what is denied is looked at elsewhere
        if (
            own.dimension == "count"
            and re.search(r"\b(?:the|these|those|all|both)\s*$", claim.text[: own.start].lower())
            and own.text.isalpha()
        ):
            continue  # "of the four treatments"
        if any(
            d.derived and d.start <= own.start < d.end and any(_fits(claim, d, a) for _, a in theirs)
            for d in claim.amounts
            if d is not own
        ):
            continue  # "5 of every 100,000" for "1 in 20,000"
        matching = [(c, a) for c, a in theirs if _fits(claim, own, a)]
        if not matching and own.low < own.high:
            ends = [
                any(
                    a.dimension == own.dimension
                    and abs(a.low - end) <= 0.003 * max(abs(end), 1e-12)
                    and a.low == a.high
                    for _, a in theirs
                )
                for end in (own.low, own.high)
            ]
            if all(ends):
                continue
        if not matching and _follows(claim, own, [a for _, a in theirs], statement):
            continue
        if not matching:
            same = [a for _, a in theirs if _same_figure(own, a)]
            if same and own.dimension != "count":
                raise Failed("unit", f"“{own.text}” stands as “{same[0].text}”")
            raise Failed("number", f"“{own.text}” is in no cited statement")
        sides = {_end_of(c, a) for c, a in matching}
        if own.dimension in ("time", "count", "mass", "length") and _end_of(claim, own):
            if sides == {-_end_of(claim, own)}:
                raise Failed("number", f"“{own.text}” is the other end there")
        _bound(claim, own, matching, theirs)


_LOWER_END = re.compile(r"\b(?:over|above|more than|older than|at least|from|exceeding|longer than)\s$", re.IGNORECASE)
_UPPER_END = re.compile(
    r"\b(?:under|below|less than|fewer than|younger than|at most|up to|no more than|shorter than)\s$", re.IGNORECASE
)
_LOWER_AFTER = re.compile(r"\s?(?:years |months )?(?:of age )?(?:or|and) (?:older|over|more|above|longer|later)", re.IGNORECASE)
_UPPER_AFTER = re.compile(r"\s?(?:years |months )?(?:of age )?(?:or|and) (?:younger|under|less|fewer|below|earlier)", re.IGNORECASE)


def _end_of(claim: Claim, amount: Amount) -> int:
    """+1 when the amount is said to be the least there is, -1 the most, 0 when neither."""
    before, after = claim.text[max(0, amount.start - 20) : amount.start], claim.text[amount.end :]
    if re.search(r"\bno(?:t)? (?:\w+ )?than\s$", before):
        return 0
    if _LOWER_END.search(before) or _LOWER_AFTER.match(after):
        return 1
    return -1 if _UPPER_END.search(before) or _UPPER_AFTER.match(after) else 0


_APART = re.compile(
    r"\b(?:than|by|difference|points?|shorter|longer|fewer|less|more|did not|missing|lost|excluded|rest|remainder|others?)\b",
    re.IGNORECASE,
)
_IN_ALL = re.compile(
    r"\b(?:in all|altogether|in total|total|both|across|overall|together|combined|of the|all)\b",
    re.IGNORECASE,
)
_AS_OFTEN = re.compile(
    r"\b(?:(half|twice|double|(?:\w+|[\d.]+) times) (?:as|the|that)\b|(halved|doubled|tripled|halving|doubling)\b"
    r"|(?:a|by|one) (half|third|quarter|fifth) (?:fewer|less|lower|more|higher)\b)",
    re.IGNORECASE,
)


def _follows(
    claim: Claim, own: Amount, given: Sequence[Amount], statement: Sequence[Claim]
) -> bool:
    """Whether the amount follows by simple arithmetic that the claim speaks of: how much two
    amounts differ, what they come to, how often one goes into the other, a share of a count, a
    relative reduction for a ratio, a dose a day."""
    if own.low != own.high or _is_year(own):
        return False
    given = [a for a in given if not _is_year(a)]
    if own.dimension == "frequency":
        # "once daily" for "daily"
        once = own.text.lower().startswith(("once", "one "))
        every = [
            a.low
            for c in statement
            for a in c.amounts
            if a.dimension == "time" and re.search(r"\bevery\s$", c.text[: a.start])
        ]
        if any(abs(own.low * t - 1) < 0.02 for t in every):
            return True
        same = _rhythms_of(own.text) & _rhythms_of(" ".join(c.text for c in statement))
        return once and bool(same) and not any(a.dimension == "frequency" for a in given)
    around = claim.text[max(0, own.start - 40) : own.end + 60]
    pairs = [
        (a, b)
        for i, a in enumerate(given)
        for b in given[i + 1 :]
        if a.dimension == b.dimension and a.low == a.high and b.low == b.high
    ]
    alike = [(a.low, b.low) for a, b in pairs if a.dimension == own.dimension]
    near = max(0.004 * own.low, 0.011 if own.dimension == "share" else 1e-6)
    if _hedged(claim, own):
        near = max(near, 0.06 * own.low)
    if _APART.search(around) and any(abs(abs(a - b) - own.low) <= near for a, b in alike):
        return True
    if own.dimension in ("count", "mass") and _IN_ALL.search(around):
        if any(abs(a + b - own.low) <= near for a, b in alike):
            return True
    if own.dimension == "share":
        ratios = [a.low for a in given if a.dimension == "count" and 0 < a.low < 1]
        said = " ".join(c.text for c in statement).lower()
        of = [(a.low, b.low) for a, b in pairs if a.dimension == "count" and min(a.low, b.low) > 0]
        told = own.vague or any(a.dimension == "count" and a.low >= 5 for a in claim.amounts)
        near_share = 3.0 if _hedged(claim, own) else 0.6 if own.low >= 5 else 0.06 * own.low
        if told and any(abs(100 * min(p) / max(p) - own.low) <= near_share for p in of):
            return True
        if "ratio" in said and any(abs(100 * (1 - r) - own.low) <= 0.6 for r in ratios):
            return True
    if own.dimension == "count":
        shares = [a.low / 100 for a in given if a.dimension == "share"]
        counts = [a.low for a in given if a.dimension == "count" and a.low >= 5]
        if any(abs(share * n - own.low) < 0.5 and share < 1 for share in shares for n in counts):
            return True
    if own.dimension == "mass/time":
        masses = [a.low for a in given if a.dimension == "mass"]
        often = [a.low for a in given if a.dimension == "frequency"]
        often += [1 / a.low for a in given if a.dimension == "time" and 0 < a.low <= 1]
        if any(abs(m * n - own.low) <= 0.004 * own.low for m in masses for n in often):
            return True
    if own.dimension == "share" and re.search(r"\bby\b[\w\s]{0,14}$", claim.text[: own.start]):
        least = 3.0 if own.vague else 0.6
        if any(
            abs(100 * (1 - min(a.low, b.low) / max(a.low, b.low)) - own.low) <= least
            for a, b in pairs
            if max(a.low, b.low) > 0
        ):
            return True
    times = _AS_OFTEN.search(around)
    if times and (own.dimension == "count" or own.vague):
        value = own.low / 100 if own.dimension == "share" else own.low
        if times[3]:
            value = 1 - value
        return any(
            abs(max(a, b) / max(min(a, b), 1e-9) - max(value, 1 / value)) <= 0.15 * max(value, 1 / value)
            for a, b in ((p.low, q.low) for p, q in pairs)
            if value > 0
        )
    return False


def _same_figure(own: Amount, other: Amount) -> bool:
    figure = re.compile(r"\d[\d.,]*\d|\d")
    return bool(set(figure.findall(own.text)) & set(figure.findall(other.text)))


_P_VALUE = re.compile(r"\bp\s?[=<>≤]+\s*$", re.IGNORECASE)
_LEADS = re.compile(
    r"\s*(?:\([^()]*\)\s*)?(?:(?:more|fewer|less|points?|events?|cases?|percentage points?|of \d+) )?(?:in|with|of|on|for|after|under|by|had|thought|saw|among|from|"
    r"patients|women|men|children|people|did|given|who|whose|taking|received)\b",
    re.IGNORECASE,
)
"""What follows an amount whose owner comes behind it."""
_FOLLOWS = re.compile(
    r"(?:\b(?:was|were|is|are|at|by|to|in|had|of|about|from|and|reached|averaged)|[(:])\s*$", re.IGNORECASE
)
"""What stands before an amount whose owner comes before it."""
_IN_ORDER = re.compile(r"\brespectively\b|\bin (?:the same|that|this) order\b", re.IGNORECASE)
_MARGIN = {"share": 0.6, "count": 1.5, "time": 2.5}
_OTHER_MARGIN = 1.0
"""By how many words more a neighbour must fit before an amount is taken to be its own."""


def _rivals(amount: Amount, among: Sequence[Amount]) -> list[Amount]:
    """Amounts of the same kind; that nobody had something is one of them beside a share or a count.
    What a count is taken of is none."""
    wholes = {b.start for d in among if d.derived for b in among if b.end == d.end and b is not d}
    return [
        a
        for a in among
        if a.start != amount.start
        and a.start not in wholes
        and not a.derived
        and not _is_year(a)
        and (
            a.dimension == amount.dimension
            or (
                a.dimension == "none"
                and amount.dimension in ("share", "count")
                and a.text.lower() != "no"
            )
        )
    ]


def _is_year(amount: Amount) -> bool:
    return amount.dimension == "count" and 1900 <= amount.low <= 2100 and len(amount.text) == 4


def _belonging(
    claim: Claim, amount: Amount, others: Sequence[Amount], *, shared: bool = True
) -> dict[str, float]:
    """The words that belong to an amount, by name, each with how surely: those up to the next amount
    of its kind on either side. What stands before all of them, or further behind, is said of all."""
    before = max((o.end for o in others if o.end <= amount.start), default=0)
    behind = min((o.start for o in others if o.start >= amount.end), default=len(claim.text))
    first = min([amount.start, *(o.start for o in others)])
    last = max([amount.end, *(o.end for o in others)])
    leads = bool(_LEADS.match(claim.text, amount.end))
    follows = bool(_FOLLOWS.search(claim.text[max(0, amount.start - 12) : amount.start]))
    previous = next((o for o in others if o.end == before), None)
    taken_before = previous is not None and bool(_LEADS.match(claim.text, previous.end))
    opening = next((o for o in [amount, *others] if o.start == first), amount)
    opens = bool(_LEADS.match(claim.text, opening.end))
    said = [w for w in claim.words if w.content or w.form == "without"]
    said = [w for w in said if not w.form[0].isdigit() and w.stem not in GENERIC]
    heading = [w for w in said if w.start < first]
    tail = [w for w in said if w.start >= last]
    near = {w.start for w in heading[-2:]} if not opens else set()
    near_tail = {w.start for w in tail if w.segment == tail[0].segment} if tail else set()
    found: dict[str, float] = {}
    for w in said:
        if w.start < first:
            far = w.start not in near
            surely = 1.0 if (far and (shared or not others)) or (not far and amount is opening) else 0.0
        elif w.start >= last:
            far = w.start not in near_tail
            mine = amount.end == last
            surely = 1.0 if (far and (shared or not others)) or (not far and mine) else 0.0
        elif before <= w.start < amount.start:
            surely = 0.2 if taken_before or leads else 1.0 if follows else 0.5
        elif amount.end <= w.start < behind:
            surely = 1.0 if leads else 0.2 if follows else 0.5
        else:
            continue
        if surely:
            found[w.name] = max(found.get(w.name, 0.0), surely)
    return found


_CHANGED = re.compile(r"\bfrom\s(?:an?\s\w+\sof\s)?$", re.IGNORECASE)
_TO = re.compile(r"\bfrom\s[^,;.]{1,16}\sto\s$", re.IGNORECASE)
"""What went from one amount to another has no sides."""


def _counted(claim: Claim, amount: Amount) -> str | None:
    """What a bare number counts: the word behind it."""
    if amount.dimension != "count":
        return None
    after = next((w for w in claim.words if w.start >= amount.end), None)
    if after is None or claim.text[amount.end : after.start].strip() or not after.content:
        return None
    return after.name


_SIDE_BY_SIDE = re.compile(
    r"\s*(?:v|vs\.?|versus|against|and|rather than|instead of|compared with|to|or),?\s*(?:about |only |at )?",
    re.IGNORECASE,
)


def _beside(claim: Claim, own: Amount) -> dict[str, float]:
    """For "... with A than with B (1% v 2%)": the words of A for the first amount, of B for the
    second; nothing when the amounts do not stand like that."""
    sides = _parted(claim)
    if sides is None:
        return {}
    for other in _rivals(own, claim.amounts):
        first, second = (own, other) if own.start < other.start else (other, own)
        if _SIDE_BY_SIDE.fullmatch(claim.text[first.end : second.start]):
            than = _COMPARING.search(claim.text)
            if than is None or not (than.end() < first.start or than.start() > second.end):
                continue
            mine, its = sides if own is first else (sides[1], sides[0])
            return dict.fromkeys(mine - its, 1.0)
    return {}


def _bound(
    claim: Claim,
    own: Amount,
    matching: Sequence[tuple[Claim, Amount]],
    theirs: Sequence[tuple[Claim, Amount]],
) -> None:
    """The amount must belong to what it belongs to in the statement, not to its neighbour."""
    if _P_VALUE.search(claim.text[: own.start]) or _is_year(own):
        return
    for sentence, amount in matching:
        if _IN_ORDER.search(sentence.text):
            _in_order(claim, own, [c for c, _ in theirs], sentence, amount)
            return
    if any(_CHANGED.search(c.text[: a.start]) or _TO.search(c.text[: a.start]) for c, a in matching):
        return
    noun = _counted(claim, own)
    if noun and any(
        noun == _counted(c, a) and not any(noun == _counted(c, r) for r in _rivals(a, c.amounts))
        for c, a in matching
    ):
        return
    side = _beside(claim, own)
    mine = side or _belonging(claim, own, _rivals(own, claim.amounts), shared=False)
    lead: float | None = None
    for sentence, amount in matching:
        rivals = [
            a
            for a in _rivals(amount, sentence.amounts)
            if not _P_VALUE.search(sentence.text[: a.start])
        ]
        words = _belonging(sentence, amount, rivals)
        support = sum(min(v, words.get(n, 0.0)) for n, v in mine.items())
        against = 0.0
        for rival in rivals:
            if _fits(claim, own, rival) or (
                own.dimension in ("count", "time") and abs(rival.start - amount.start) > 90
            ):
                continue
            words = _belonging(sentence, rival, [amount, *(a for a in rivals if a is not rival)])
            against = max(against, sum(min(v, words.get(n, 0.0)) for n, v in mine.items()))
        lead = support - against if lead is None else max(lead, support - against)
    margin = _MARGIN.get(own.dimension, _OTHER_MARGIN)
    if lead is not None and lead < -margin:
        raise Failed("arm", f"“{own.text}” belongs to something else {lead:.1f}")


def _next_to(claim: Claim, amount: Amount, others: Sequence[Amount]) -> dict[str, float]:
    """The two words that stand closest to an amount, on the side where its owner is."""
    before = max((o.end for o in others if o.end <= amount.start), default=0)
    behind = min((o.start for o in others if o.start >= amount.end), default=len(claim.text))
    said = [w for w in claim.words if w.content and w.stem not in GENERIC and w.form[0].isalpha()]
    after = [w for w in said if amount.end <= w.start < behind][:2]
    ahead = [w for w in said if before <= w.start < amount.start][-2:]
    leads = _LEADS.match(claim.text, amount.end)
    return dict.fromkeys((w.name for w in (after if leads and after else ahead)), 1.0)


def _in_order(
    claim: Claim, own: Amount, sentences: Sequence[Claim], statement: Claim, amount: Amount
) -> None:
    """ "20 (86%) and 5 (21%) respectively": amounts and what they belong to go in one order."""
    rivals = _rivals(own, claim.amounts)
    mine = _beside(claim, own) or _next_to(claim, own, rivals)
    places: dict[str, int] = {}
    for n, sentence in enumerate(dict.fromkeys([statement, *sentences])):
        for w in sentence.words:
            # What this sentence does not name is looked for in those before it.
            places.setdefault(w.name, w.start if n == 0 else w.start - 10_000)
    for other in rivals:
        pair = next(
            (a for a in statement.amounts if a is not amount and _fits(claim, other, a)), None
        )
        if pair is None:
            continue
        its = _next_to(claim, other, [own, *(a for a in rivals if a is not other)])
        its = _beside(claim, other) or its
        first = min((places[n] for n, v in mine.items() if n in places and v > its.get(n, 0)), default=None)
        second = min((places[n] for n, v in its.items() if n in places and v > mine.get(n, 0)), default=None)
        if first is None or second is None or first == second:
            continue
        if (first < second) != (amount.start < pair.start):
            raise Failed("arm", f"“{own.text}” belongs to the other side")


def _adjacent(claim: Claim, statement: Sequence[Claim]) -> None:
    """A dose and the rhythm beside it belong together."""
    for dose, rhythm in _doses(claim):
        there = [(d, r) for c in statement for d, r in _doses(c) if _fits(claim, dose, d)]
        if there and not any(_fits(claim, rhythm, r) for _, r in there):
            raise Failed("frequency", f"“{dose.text}” is given “{there[0][1].text}”")


def _doses(claim: Claim) -> list[tuple[Amount, Amount]]:
    return [
        (a, b)
        for a, b in pairwise(claim.amounts)
        if b.dimension == "frequency"
        and a.dimension.startswith(("mass", "volume", "activity"))
        and len(claim.text[a.end : b.start].strip()) <= 8
    ]


_ORDINAL = re.compile(r"\b(first|second|third|fourth|fifth|sixth|last)(?:-|\s)(\w+)", re.IGNORECASE)


def _ordinals(claim: Claim, statement: Sequence[Claim]) -> None:
    """ "the third trimester" where the statement has the first only."""
    there: dict[str, set[str]] = {}
    for c in statement:
        for m in _ORDINAL.finditer(c.text):
            there.setdefault(stem(m[2].lower()), set()).add(m[1].lower())
    for m in _ORDINAL.finditer(claim.text):
        others = there.get(stem(m[2].lower()))
        if others and m[1].lower() not in others:
            raise Failed("number", f"“{m[0]}” is the {min(others)} there")


_GRADE = re.compile(
    r"\b(?:grade|evidence|level|class|type|stage|phase)\s(?:of\s)?([A-E]|I{1,3}V?|IV|\d[ab]?)\b(?!')"
)
_CERTAINTY = re.compile(
    r"\b(very low|low|moderate|high)(?:-|\s)(?:quality|certainty|grade|strength)\b"
    r"|\b(?:quality|certainty|strength)\b[^.;,]{0,40}?\b(very low|low|moderate|high)\b",
    re.IGNORECASE,
)


def _grades(claim: Claim, statement: Sequence[Claim]) -> None:
    """Classes of evidence, of disease and of trials are given as they are given there."""
    given = " ".join(c.text for c in statement)
    letters = {m[1] for m in _GRADE.finditer(given)}
    for m in _GRADE.finditer(claim.text):
        if m[1] not in letters and letters:
            raise Failed("certainty", f"“{m[0]}” is “{min(letters)}” there")
    theirs = {(m[1] or m[2]).lower() for m in _CERTAINTY.finditer(given)}
    for m in _CERTAINTY.finditer(claim.text):
        level = (m[1] or m[2]).lower()
        if level not in theirs and not re.search(rf"\b{level}\b", given, re.IGNORECASE):
            raise Failed("certainty", f"“{m[0]}” is in no cited statement")


_RATIO = re.compile(r"\bratio\b[^,;]*$|\bCI\b|\brisk\b[^,;]{0,4}$|\bper\s$", re.IGNORECASE)
_MORE = OPPOSITE[0][0] | stems_of("common frequent often likely")
_LESS = OPPOSITE[0][1]


def _figures(claim: Claim, statement: Sequence[Claim]) -> None:
    """ "More often with A than with B": the figures of the statement must say so."""
    sides = _parted(claim)
    if sides is None or not re.search(r"\bthan\b", claim.text):
        return
    left, right = sides[0] - sides[1], sides[1] - sides[0]
    before = [w for w in claim.words if w.start < claim.text.find("than")]
    less = any(w.stem in _LESS for w in before)
    more = any(w.stem in _MORE and w.form not in ("most",) for w in before)
    if less == more and not less:
        return
    way = -1 if less else 1
    if any(w.negated for w in claim.words):
        return
    for sentence in statement:
        if any(w.stem in _LESS | _MORE for w in sentence.words) or _IN_ORDER.search(sentence.text):
            continue
        wholes = {
            b.start for d in sentence.amounts if d.derived for b in sentence.amounts if b.end == d.end
        } - {d.start for d in sentence.amounts if d.derived}
        figures = [
            a
            for a in sentence.amounts
            if a.low == a.high
            and not a.derived
            and not _is_year(a)
            and a.dimension in ("share", "count")
            and a.start not in wholes
            and not _RATIO.search(sentence.text[max(0, a.start - 24) : a.start])
            and not _P_VALUE.search(sentence.text[: a.start])
        ]
        for one, other in pairwise(figures):
            if one.dimension != other.dimension:
                continue
            rest = [[a for a in figures if a is not x] for x in (one, other)]
            a_words = _belonging(sentence, one, rest[0])
            b_words = _belonging(sentence, other, rest[1])
            straight = _meets(left, a_words, b_words) + _meets(right, b_words, a_words)
            turned = _meets(left, b_words, a_words) + _meets(right, a_words, b_words)
            if max(straight, turned) < (0.8 if one.dimension == "share" else 1.6) or abs(straight - turned) < 0.5:
                continue
            first, second = (one, other) if straight > turned else (other, one)
            if (first.low - second.low) * way < 0:
                raise Failed("direction", f"“{first.text}” against “{second.text}”")
            return


def _meets(side: frozenset[str], words: Mapping[str, float], others: Mapping[str, float]) -> float:
    return sum(v for n, v in words.items() if n in side and v > others.get(n, 0.0))


_NO_DIFFERENCE = re.compile(
    r"\b(?:no|not|without|neither)\b[^.;]{0,40}\b(?:differ\w*|significan\w*)|\bdid not (?:differ|change)\b"
    r"|\bp\s?>\s?0?\.05",
    re.IGNORECASE,
)
_NOT_SHOWN = re.compile(r"\bp\s?[=>]\s?0?\.(?:0[6-9]|[1-9])", re.IGNORECASE)
_BETTER = re.compile(
    r"\b(?:better|superior|more|fewer|less|higher|lower|worse|greater|inferior|outperform\w*|beat)\b",
    re.IGNORECASE,
)


def _no_difference(claim: Claim, about: Sequence[Claim]) -> None:
    """What did not differ there is not better here."""
    if not _BETTER.search(claim.text) or not re.search(r"\bthan\b|\bover\b|\bto\b", claim.text):
        return
    if any(w.form in NEGATORS for w in claim.words) or "differ" in claim.text:
        return
    if any(_NO_DIFFERENCE.search(c.text) and not _BETTER.search(c.text) for c in about):
        raise Failed("negation", "no difference was shown there")


_EXCLUSIVE: tuple[frozenset[str], ...] = tuple(
    frozenset(line.split())
    for line in (
        "black blue brown green red white yellow orange pink grey",
        "left right",
        "january february march april may june july august september october november december",
        "spring summer autumn winter",
        "squamous basal",
        "proximal distal",
        "anterior posterior",
        "systolic diastolic",
        "arterial venous",
        "bacterial viral fungal",
        "primary secondary",
        "acute chronic",
        "inpatient outpatient",
        "upper lower",
    )
)


def _exclusive(claim: Claim, statement: Sequence[Claim]) -> None:
    """One of a closed set is not another of it."""
    forms = {w.form for c in statement for w in c.words}
    for group in _EXCLUSIVE:
        for w in claim.words:
            if w.form in group and w.form not in forms and group & forms and w.form not in ("may", "march", "right", "left", "lower"):
                raise Failed("entity", f"“{w.form}” is in no cited statement")


_WITH = re.compile(
    r"\b(?:patients|people|adults|children|women|men|those|infants|participants|persons|individuals)"
    r" (?:with|who have|who had|having) (\w+(?:[ -]\w+){0,2})",
    re.IGNORECASE,
)
_NO_PEOPLE = re.compile(
    r"\W(?:[\w-]+\W){0,2}?(?:scars|isolates|lesions|eyes|samples|wounds|halves|sides|trials|studies|births|"
    r"pregnancies|sessions|treatments|sites|nails|teeth|joints|cells|mice|rats|rabbits|specimens|operations|"
    r"procedures|biopsies|keratoses|nodules|plaques|limbs|knees|hips|events|episodes|visits|centres|hospitals)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\W(?:patients|people|adults|children|women|men|infants|participants)\b", re.I)


def _conditions(claim: Claim, statement: Sequence[Claim], new: Sequence[Word]) -> None:
    """What people have is what they have there, and what was counted there were people."""
    fresh = {w.start for w in new}
    for m in _WITH.finditer(claim.text):
        for w in claim.words:
            if m.start(1) <= w.start < m.end(1) and w.start in fresh and w.form not in ABOUT:
                raise Failed("population", f"“{w.form}” is in no cited statement")
    for own in claim.amounts:
        if own.dimension != "count" or not _COUNTED.match(claim.text, own.end):
            continue
        there = [(c, a) for c in statement for a in c.amounts if _fits(claim, own, a)]
        if there and all(_NO_PEOPLE.match(c.text, a.end) for c, a in there):
            raise Failed("population", f"“{own.text}” are no people there")


# ------------------------------------------------------------------------------- people and routes


def _populations(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    theirs = frozenset[str]().union(*(c.populations for c in statement))
    extra = claim.populations - theirs
    if extra:
        raise Failed("population", f"“{next(iter(extra))}” is in no cited statement")
    near = frozenset[str]().union(*(c.populations for c in about))
    lost = near - claim.populations
    stems = {w.stem for w in claim.words}
    if lost & NOT_PEOPLE and not {"in"} & claim.populations and not claim.populations & NOT_PEOPLE:
        raise Failed("overgeneral", "was not seen in people")
    people = {w.stem for c in about for w in c.words} & GENERAL_PEOPLE
    if len(lost - NOT_PEOPLE - {"human", "adult"}) == 1 and stems & GENERAL_PEOPLE and not people:
        raise Failed("overgeneral", f"was seen in: {next(iter(lost))}")


_INJECTED = frozenset(
    {"intralesional", "intravenous", "intramuscular", "subcutaneous", "intradermal", "epidural"}
)


def _routes(claim: Claim, statement: Sequence[Claim]) -> None:
    theirs = frozenset[str]().union(*(c.routes for c in statement))
    extra = claim.routes - theirs
    if theirs & _INJECTED:
        extra -= {"injected"}
    if extra:
        raise Failed("route", f"“{next(iter(extra))}” is in no cited statement")


# ------------------------------------------------------------------------------- how sure


_ALWAYS_OK = frozenset({"same", "any", "so", "via", "through", "standard", "exactly"})


def _strength(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    forms = {w.form for c in statement for w in c.words}
    told = bool(forms & {"you", "your"})
    for word in claim.words:
        kind = CLAIMS.get(word.form)
        if kind is None or word.form in _ALWAYS_OK or _is_turn(claim, word):
            continue
        if _has_like(word.form, forms):
            same = [
                w for c in statement for w in c.words if w.form == word.form or w.name == word.name
            ]
            if kind != "exclusive" and same and all(w.negated for w in same) and not word.negated:
                raise Failed("negation", f"“{word.form}” is denied there")
            continue
        if _counts_only(claim, word) or (kind == "instruction" and told):
            continue
        if word.form in ("need", "needs", "needed") and word.negated:
            continue
        if word.form in ("because", "since", "as") and _SO.search(" ".join(c.text for c in statement)):
            continue
        raise Failed("causal" if kind == "causal" else "certainty", f"“{word.form}”")
    if _ANY.search(claim.text) and not forms & {
        "any", "all", "regardless", "irrespective", "every", "term", "permanent", "permanently", "years"
    }:
        raise Failed("overgeneral", "of any kind")
    if _MOST.search(claim.text) and not (
        forms & {"most", "majority", "mostly", "usually", "all", "almost", "predominantly", "mainly"}
        or any(a.dimension == "share" and a.high >= 50 for c in statement for a in c.amounts)
    ):
        raise Failed("overgeneral", "of most")
    if _IT_IS.search(claim.text) and not any(_IT_IS.search(c.text) for c in statement):
        raise Failed("causal", "made the cause")
    own = {w.form for w in claim.words}
    for sentence in about:
        clauses = _taken_up(claim, sentence)
        doubt = {w.form for w in sentence.words if w.clause in clauses} & DOUBT
        if doubt and not own & (DOUBT | {"proposed", "proposes", "option", "consider", "considered", "can", "cannot", "not", "no", "expected", "estimated"}):
            raise Failed("certainty", f"the statement says “{next(iter(doubt))}”")
        seldom = {w.form for w in sentence.words if w.clause in clauses} & FREQUENCY_HEDGES
        if seldom and not own & (
            FREQUENCY_HEDGES
            | DOUBT
            | {"can", "commonly", "frequently", "main", "not", "certain", "cases"}
        ):
            raise Failed("certainty", f"the statement says “{next(iter(seldom))}”")


_ANY = re.compile(
    r"\b(?:of|at|for|in|with) any (?:age|form|kind|type|purpose|stage|dose|severity|cause|reason|sort|degree)\b"
    r"|\b(?:regardless|irrespective) of\b|\blong[- ]term\b|\bpermanent(?:ly)?\b|\b(?:life|forever)long\b|\bfor good\b",
    re.IGNORECASE,
)
_SO = re.compile(r"\bso that\b|, so\b|\btherefore\b", re.IGNORECASE)
_MOST = re.compile(
    r"\b(?:most|the majority of|nearly all|almost all|the bulk of) (?:of )?(?:the )?(?:people|patients|children|adults|women|"
    r"men|infants|cases|lesions|scars|those)\b",
    re.IGNORECASE,
)
_IT_IS = re.compile(
    r"\bit (?:was|is) (?:the |an? )?[^,;]{2,60} (?:that|which|who)\b|\b(?:was|is) what\b|\b(?:was|were|is|are|lies?) behind\b",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"(?:are|were|is|was|had|have|,|which) all\b(?! \w+s\b)|(?:in|at) all(?=[,.;)]|$|\s\d)|all (?:with|of (?:whom|which|them))|every \d|each \d"
    r"|only an?\b|proved? to be|(?:did|do|does|done) so|no more than",
    re.IGNORECASE,
)
"""Where a word that claims much claims nothing."""


def _is_turn(claim: Claim, word: Word) -> bool:
    return any(m.start() <= word.start < m.end() for m in _TURNS.finditer(claim.text)) or (
        word.form in ("significant", "significantly") and word.negated
    )


def _counts_only(claim: Claim, word: Word) -> bool:
    """ "only 8 %": a remark on an amount, which is looked for."""
    after = claim.text[word.start : word.start + 40].lower()
    return word.form == "only" and bool(
        re.match(
            r"only (?:about |around |some |[a-z]+ )?(?:\d|one\b|two\b|three\b|four\b|five\b|six\b|seven\b|eight\b|"
            r"nine\b|ten\b|a (?:third|quarter|few)|half)",
            after,
        )
    )


def _rhythms_of(text: str) -> set[str]:
    """The periods by which a text counts, by their first letters."""
    found = {
        next(g for g in m.groups() if g).lower()[:3] for m in _RHYTHM.finditer(_PART.sub(" ", text))
    }
    return {{"h": "hou", "d": "day", "dai": "day", "nig": "day", "ann": "yea"}.get(r, r) for r in found}


_PART = re.compile(
    r"\b(?:within|after|for|in|than|long as|next|up to|about|nearly|over|under|once) an? (?:hour|day|week|month|year)\b(?! (?:for|during))|\b(?:half|third|quarter|thirds|quarters)\s(?:of\s)?an?\s(?:hour|day|week|month|year)\b", re.IGNORECASE
)
_RHYTHM = re.compile(
    r"\b(?:per|an?|each|every)\s(hour|day|week|month|year)\b|\b(hour|dai|week|month|year|annual|night)ly\b"
    r"|/(hour|h|day|d|week|month|year)\b",
    re.IGNORECASE,
)
_ONCE = re.compile(
    r"\b(once|twice|thrice|(?:two|three|four|five|\d) times)\b(?! (?:as|more|higher|less|greater|a\b|an\b|per|daily|weekly|monthly|every|each))",
    re.IGNORECASE,
)
_AS_ONCE = {"two times": "twice", "2 times": "twice", "three times": "thrice", "3 times": "thrice"}


def _frequency(claim: Claim, statement: Sequence[Claim]) -> None:
    given = " ".join(c.text for c in statement)
    rhythms = [_rhythms_of(claim.text), _rhythms_of(given)]
    for period, length in (("day", 1.0), ("wee", 7.0), ("mon", 30.4375), ("yea", 365.25), ("hou", 1 / 24)):
        if any(a.dimension == "time" and abs(a.low - length) < 0.02 * length for c in statement for a in c.amounts):
            rhythms[1].add(period)
    if any(a.dimension == "frequency" for a in claim.amounts):
        rhythms[0] -= {"yea", "mon", "wee"}  # looked at among the amounts
    if extra := rhythms[0] - rhythms[1]:
        raise Failed("frequency", f"“{next(iter(extra))}” is another rhythm")
    often = [
        {_AS_ONCE.get(m[1].lower(), m[1].lower()) for m in _ONCE.finditer(t)}
        for t in (claim.text, given)
    ]
    single = re.search(
        r"\b(?:one|single) (?:session|treatment|dose|injection|time|pass|application|visit|cycle)",
        given,
        re.IGNORECASE,
    )
    if any(own.dimension == "frequency" for own in claim.amounts):
        often[0].discard("once")  # looked at among the amounts
    sessions = {
        {"two": "twice", "three": "thrice", "2": "twice", "3": "thrice"}.get(m[1].lower(), "")
        for m in re.finditer(r"\b(two|three|2|3) (?:[\w-]+ ){0,4}?(?:sessions|treatments|doses|times)", given, re.I)
    }
    if extra := often[0] - often[1] - ({"once"} if single else set()) - sessions:
        raise Failed("frequency", f"“{next(iter(extra))}” is in no cited statement")


def _taken_up(claim: Claim, sentence: Claim) -> set[int]:
    """The clauses of the sentence that the claim takes up."""
    shared: dict[int, int] = {}
    total: dict[int, int] = {}
    for w in sentence.words:
        if w.content and w.stem not in GENERIC:
            total[w.clause] = total.get(w.clause, 0) + 1
            if w.name in claim.names:
                shared[w.clause] = shared.get(w.clause, 0) + 1
    own = sum(w.content and w.stem not in GENERIC for w in claim.words)
    return {c for c, n in shared.items() if n >= 2 and n >= 0.5 * min(total[c], own)}


# ------------------------------------------------------------------------------- comparison, direction


_COMPARING = re.compile(
    r"\bthan\b|\bcompared (?:with|to)\b|\bversus\b|\bvs\.?(?=\s)|\bv\b|\bover\b(?!\s+(?:\d|half))|\bsuperior to\b|"
    r"\binferior to\b|\brather than\b|\bahead of\b|\binstead of\b",
    re.IGNORECASE,
)
_ADVISED_AGAINST = re.compile(
    r"\b(?:recommend|advis|warn|decid|caution|counsel)\w*\s(?:\w+\s)?against\b|\bagainst[,.]?$", re.IGNORECASE
)
_AGAINST = re.compile(r"\bagainst\b", re.IGNORECASE)


_BOUND = re.compile(
    r"\bat (?:least|most)\b|\bor (?:more|less|fewer|longer|older|later|higher|lower|above|below)\b"
    r"|\bno (?:more|less|fewer|longer|later)\b|\b(?:more|less|fewer|longer|higher|lower|greater) than (?=[\d]|an? |half|one|two)",
    re.IGNORECASE,
)
"""What only says where an amount ends."""


def _poles(claims: Sequence[Claim]) -> dict[int, int]:
    """By pair of opposites, +1 or -1 for the side that the claims take; 0 for both."""
    found: dict[int, int] = {}
    for claim in claims:
        bounds = [(m.start(), m.end()) for m in _BOUND.finditer(claim.text)]
        for n, w in enumerate(claim.words):
            if any(a <= w.start < b for a, b in bounds):
                continue
            if claim.text[w.start + len(w.form) : w.start + len(w.form) + 1] == "-":
                continue  # "low-dose" is a name
            for i, (one, other) in enumerate(OPPOSITE):
                side = 1 if w.stem in one else -1 if w.stem in other else 0
                if side and any(v.form == "against" for v in claim.words[n + 1 : n + 3]):
                    side = -side
                if side:
                    found[i] = side if found.get(i, side) == side else 0
    return found


_LEVELS = frozenset(
    i
    for i, pair in enumerate(OPPOSITE)
    if pair[0] & stems_of("gain darker effective") and not pair[0] & stems_of("common")
)


def _poles_beside(claim: Claim, amount: Amount) -> dict[int, int]:
    at = claim.segment_of(amount.start)
    found: dict[int, int] = {}
    for w in claim.words:
        if w.segment != at:
            continue
        for i, (one, other) in enumerate(OPPOSITE):
            side = 1 if w.stem in one else -1 if w.stem in other else 0
            if side:
                found[i] = side if found.get(i, side) == side else 0
    return found


_BEFORE_AFTER = next(i for i, pair in enumerate(OPPOSITE) if stem("before") in pair[0])


def _order(claims: Sequence[Claim]) -> set[tuple[int, str]]:
    """What is said to come before (-1) or after (+1) what, by the two words that follow."""
    found = set()
    for claim in claims:
        for n, w in enumerate(claim.words):
            side = (
                -1
                if w.form in ("before", "until")
                else 1
                if w.form in ("after", "following")
                else 0
            )
            behind = [v for v in claim.words[n + 1 :] if v.content][:2]
            found |= {(side, v.name) for v in behind if side}
    return found


def _parted(claim: Claim) -> tuple[frozenset[str], frozenset[str]] | None:
    """What stands before and behind the comparing word."""
    found = _COMPARING.search(claim.text) or _AGAINST.search(claim.text)
    if found is None or _ADVISED_AGAINST.search(claim.text):
        return None
    if found.start() < 5:
        # "Compared with A, B ...": the first side ends at the comma.
        comma = claim.text.find(",")
        if comma < 0:
            return None
        right = frozenset(
            w.name for w in claim.words if found.end() <= w.start < comma and w.content
        )
        left = frozenset(w.name for w in claim.words if w.start > comma and w.content)
        return left, right
    left = frozenset(w.name for w in claim.words if w.start < found.start() and w.content)
    stop = re.compile(r"[,;(]|\b(?:in|at|after|for|by|on|with)\b").search(
        claim.text, found.end() + 4
    )
    end = stop.start() if stop else len(claim.text)
    right = frozenset(w.name for w in claim.words if found.end() <= w.start < end and w.content)
    return left, right


def _sides(claim: Claim, statement: Sequence[Claim]) -> None:
    ours = _parted(claim)
    if ours is None:
        return
    left, right = ours[0] - ours[1], ours[1] - ours[0]
    for sentence in statement:
        theirs = _parted(sentence)
        if theirs is None:
            continue
        their_left, their_right = theirs[0] - theirs[1], theirs[1] - theirs[0]
        same = len(right & their_right)
        crossed = len(right & their_left) + len(left & their_right)
        if not right & (their_left | their_right):
            continue
        own_poles, poles = _poles([claim]), _poles([sentence])
        turned = any(own_poles[i] * poles[i] == -1 for i in own_poles if i in poles)
        if crossed > same and not turned:
            raise Failed("arm", "the sides of the comparison are exchanged")
        if same > crossed and turned:
            raise Failed("direction", "the comparison is turned round")
        return


def _contrasts(claim: Claim, statement: Sequence[Claim]) -> None:
    """Words that tell sides apart must govern what they govern in the statement: what follows
    them up to the next of their kind."""
    for group in CONTRASTS:
        used = _regions(claim, group)
        if not used:
            continue
        there = [(stem_, region) for c in statement for stem_, region in _regions(c, group)]
        if len({stem_ for stem_, _ in there}) < 2:
            continue
        for own, region in used:
            mine = frozenset[str]().union(*(r for stem_, r in there if stem_ == own))
            others = [r for stem_, r in there if stem_ != own]
            if not any(stem_ == own for stem_, _ in there) or not others:
                continue
            against = max(len((region & r) - mine) for r in others)
            support = len((region & mine) - frozenset[str]().union(*others))
            if against > support:
                raise Failed("arm", f"“{own}” stands with something else")


def _regions(claim: Claim, group: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Each word of the group with the names of the content words up to the next of the group."""
    found: list[tuple[str, frozenset[str]]] = []
    places = [i for i, w in enumerate(claim.words) if w.stem in group]
    for n, i in enumerate(places):
        end = places[n + 1] if n + 1 < len(places) else len(claim.words)
        names = frozenset(
            w.name for w in claim.words[i + 1 : end] if w.content and not w.form[0].isdigit()
        )
        found.append((claim.words[i].stem, names))
    return found


def _crossed(claim: Claim, statement: Sequence[Claim]) -> None:
    """Two things said of two others must not be exchanged: "A did more for X and B for Y"."""
    ours = _by_segment(claim)
    if len(ours) < 2:
        return
    for sentence in statement:
        theirs = _by_segment(sentence)
        for i, one in enumerate(theirs):
            for other in theirs[i + 1 :]:
                left, right = one - other, other - one
                both = [s for s in ours if s & (left | right)]
                if len(both) < 2:
                    continue
                shared = frozenset.intersection(*both)
                mixed = [s - shared for s in both if (s - shared) & left and (s - shared) & right]
                if len(mixed) == len(both) == 2 and not mixed[0] & mixed[1] & (left | right):
                    raise Failed("arm", "what belongs together is exchanged")


def _by_segment(claim: Claim) -> list[frozenset[str]]:
    last = max((w.segment for w in claim.words), default=0)
    found = [claim.in_segments(frozenset({i})) for i in range(last + 1)]
    return [f for f in found if f]


def _measured(claims: Sequence[Claim]) -> set[tuple[int, str]]:
    """What is said to be more (+1) or less (-1): the word after "more", "fewer", "less"."""
    found = set()
    for claim in claims:
        for n, w in enumerate(claim.words[:-1]):
            if w.form in ("more", "less", "fewer", "higher", "lower", "increased", "reduced"):
                noun = claim.words[n + 1]
                if noun.content and noun.stem not in GENERIC:
                    found.add((1 if w.form in ("more", "higher", "increased") else -1, noun.name))
    return found


def _directions(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    there = _measured(statement)
    for side, name in _measured([claim]):
        if (-side, name) in there and (side, name) not in there and not _parted(claim):
            raise Failed("direction", f"less and more “{name}” are exchanged")
    for own in claim.amounts:
        for c in statement:
            for a in c.amounts:
                if not _fits(claim, own, a) or own.dimension in ("time", "count"):
                    continue
                one, other = _poles_beside(claim, own), _poles_beside(c, a)
                if any(one[i] * other[i] == -1 for i in one if i in other and i in _LEVELS):
                    raise Failed("direction", f"“{own.text}” goes the other way")
    own, near, every = _poles([claim]), _poles(about), _poles(statement)
    theirs_order = _order(statement)
    for side, name in _order([claim]):
        if (-side, name) in theirs_order and (side, name) not in theirs_order:
            raise Failed("direction", "before and after are exchanged")
    for i, side in own.items():
        other = near.get(i, every.get(i))
        if other is None or side == 0 or other == 0 or side == other:
            continue
        if i == _BEFORE_AFTER or _parted(claim) is not None:
            continue  # looked at elsewhere
        words = {w.negated for w in claim.words if w.stem in OPPOSITE[i][0] | OPPOSITE[i][1]}
        theirs = {
            w.negated
            for c in statement
            for w in c.words
            if w.stem in OPPOSITE[i][0] | OPPOSITE[i][1]
        }
        if words != theirs and len(words) == len(theirs) == 1:
            continue  # "not worse" for "better"
        raise Failed("direction")


def _denied(word: Word, reached: Sequence[Word]) -> set[str]:
    """The words nearest to one that denies: what it is about."""
    said = [w for w in reached if w.form not in ("been", "being") and w.stem not in GENERIC]
    before = [w for w in said if w.start < word.start][-2:]
    return {w.name for w in [*before, *[w for w in said if w.start > word.start][:5]]}


_NOBODY = frozenset({"none", "nobody", "neither", "nor"})
_SCOPE = 7
"""Words behind one that denies, up to which it can reach."""


def _polarity(claim: Claim) -> dict[str, list[tuple[bool, int]]]:
    """By name of a word: each time it stands there, whether it is denied, and how many words of
    content lie between it and what denies it."""
    found: dict[str, list[tuple[bool, int]]] = {}
    words = claim.words
    for i, w in enumerate(words):
        if not w.content or w.form[0].isdigit() or w.stem in GENERAL_PEOPLE | POPULATIONS.keys():
            continue
        denied, between, depth = False, 0, 0
        for v in reversed(words[max(0, i - _SCOPE) : i]):
            if v.clause != w.clause:
                break
            if v.form in NEGATORS and v.form not in _NOBODY and not is_harmless(claim.text, v):
                denied = not denied
                depth = depth or between + 1
            elif v.content:
                between += 1
        found.setdefault(w.name, []).append((denied, depth - 1 if denied else 99))
    return found


def _turned(claim: Claim, statement: Sequence[Claim]) -> None:
    """A word next to one that denies must stand so in the statement, and the other way round."""
    theirs: dict[str, list[tuple[bool, int]]] = {}
    for c in statement:
        for name, places in _polarity(c).items():
            theirs.setdefault(name, []).extend(places)
    for name, places in _polarity(claim).items():
        there = theirs.get(name)
        if there is None:
            continue
        own = {denied for denied, _ in places}
        if len(own) > 1 or {denied for denied, _ in there} & own:
            continue
        near = min(d for _, d in (places if True in own else there))
        if near > (0 if True in own else 1):
            continue
        if True not in own and any(
            v.form in NEGATORS and v.clause == w.clause
            for w in claim.words
            if w.name == name
            for v in claim.words
        ):
            continue  # "laser was not used": said of the word before
        clauses = [claim.text, *(c.text for c in statement if name in c.names)]
        if any(_OTHERWISE.search(t) for t in clauses[:1] if True not in own):
            continue
        if True in own and any(_DENIES.search(t) for t in clauses[1:]):
            continue
        raise Failed("negation", f"“{name}” is {'not ' if True in own else ''}denied there")


def _denial(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    """What is denied there must be denied here, and nothing else."""
    _turned(claim, statement)
    own = {w.name for w in claim.words if w.content}
    denies = claim.denied()
    denies_nothing = not denies and not re.search(r"\bagainst\b", claim.text)
    if denies_nothing and not _OTHERWISE.search(claim.text):
        for sentence in statement:
            for word, reached in sentence.denied():
                names = _denied(word, reached)
                taken = own & names
                weak = len(names) == 1 and word.form not in ("not", "no", "never", "cannot")
                if names and not weak and len(taken) >= max(min(2, len(names)), 0.4 * len(names)):
                    raise Failed("negation", "denies nothing where it is denied")
    every = [(s, reached) for s in statement for _, reached in s.denied()]
    advised = not re.search(r"\bagainst\b|\bdiscourag|\bcontraindicat|\bavoid|\bnot\b", claim.text)
    for sentence in statement:
        for word, reached in sentence.denied():
            if word.form == "against" and advised and len(own & {w.name for w in reached[:3]}) >= 2:
                raise Failed("negation", "advised against there")
    changed = any(w.stem in a | b for w in claim.words for a, b in OPPOSITE[:2] if not w.negated)
    if changed and not denies:
        for sentence in statement:
            for m in _NO_CHANGE.finditer(sentence.text):
                after = [w for w in sentence.words if w.start >= m.end() and w.content][:4]
                about_it = [w for w in after if w.stem not in GENERIC and w.name != "rate"][:2]
                if about_it and about_it[0].name in own:
                    raise Failed("negation", "did not change there")
    if re.search(r"\b(?:both|all|each|either)\b", claim.text, re.IGNORECASE) and not denies:
        if any(re.search(r"\bbut not\b", c.text) for c in about):
            raise Failed("negation", "one of them is excepted there")
    for word, reached in denies:
        if word.form == "against":
            continue
        names = {w.name for w in reached if w.stem not in GENERIC}
        if not names or (
            names & {"differ", "signific", stem("difference")}
            and any(_NO_DIFFERENCE.search(c.text) or _NOT_SHOWN.search(c.text) for c in statement)
        ):
            continue
        best: tuple[int, Claim] | None = None
        for sentence in statement:
            shared = len(names & sentence.names)
            if shared and (best is None or shared > best[0]):
                best = (shared, sentence)
        if best is None:
            continue
        sentence = best[1]
        if not sentence.denied() and not _DENIES.search(sentence.text):
            raise Failed("negation", f"“{word.form}” denies what is not denied")
        theirs = [frozenset(w.name for w in r) for s, r in every if s is sentence]
        if theirs and not _DENIES.search(sentence.text) and not any(names & t for t in theirs):
            raise Failed("negation", f"“{word.form}” denies something else")


_NO_CHANGE = re.compile(
    r"\b(?:did|does|do|could|was|were) not (?:\w+ly )?(?:change|alter|affect|influence|reduce|lower|increase|raise|"
    r"improve|worsen|shorten|prolong|prevent)\w*\b|\bno (?:change|effect|influence|improvement|reduction|increase) (?:in|on|of)\b",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:unclear|uncertain|unknown|insufficient|inadequate|inconclusive|too (?:little|few)|rather than|"
    r"ineffective|unable|impossible|unlikely|against|loss|discouraged?|exceptions?|only|alone|limited|"
    r"contraindicated|un(?:approved|changed|affected|proven|related|involved)|in(?:complete|consistent)|"
    r"equal(?:ly)?|alike|similar(?:ly)?|p\s?[=>]\s?0?\.[1-9]\d*|0(?:\.0)? ?%|silent|few|less|lower|predates?|outside|freedom|excluded?s?|resolved|excepted|all but|must not)\b",
    re.IGNORECASE,
)
"""What denies, or comes to the same, in other words than "no" and "not"."""
_OTHERWISE = re.compile(
    r"\b(?:unclear|uncertain|unknown|insufficient|inadequate|inconclusive|too (?:little|few)|rather than|"
    r"ineffective|unable|impossible|unlikely|against|discouraged?|contraindicated|limited to|"
    r"un(?:approved|treated|changed|affected|proven|related|common)|predates?|outside|equal(?:ly)?|"
    r"alike|similar(?:ly)?|same)\b",
    re.IGNORECASE,
)


_DIVIDE = re.compile(
    r"\s*(?:;|,?\s*\b(?:and|but|yet|while|whereas|although|though)\b)\s+", re.IGNORECASE
)
_NO_CLAIM = re.compile(
    r"^(?:in|among|for|of|with|after|at|during|by|on|from)\b[^,]*$", re.IGNORECASE
)


def _divided(text: str) -> list[tuple[str, str]]:
    """The ways to cut a sentence in two that could each be said alone, the middle ones first. What
    only says where something was seen is no part of its own."""
    cuts = [m for m in _DIVIDE.finditer(text) if 12 <= m.start() <= len(text) - 12]
    cuts.sort(key=lambda m: abs((m.start() + m.end()) / 2 - len(text) / 2))
    pairs = [(text[: m.start()], text[m.end() :]) for m in cuts[:4]]
    return [
        (a, b)
        for a, b in pairs
        if not _NO_CLAIM.match(a.strip()) and not _NO_CLAIM.match(b.strip())
    ]
