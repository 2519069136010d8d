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

from chains.grounding.claims import Claim, Word, claims_of
from chains.grounding.quantities import Amount
from chains.grounding.sentences import read_sentence, sentences_of
from chains.grounding.words import (
    ABOUT,
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
)
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
_MOST_NEW = 0.22
"""Share of meaningful words that no cited statement has, up to which a sentence can pass."""
_RARE = 0.999
"""Rarity from which a word is no ordinary English: a name of a drug, a disease, a place."""


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
            if _is_quotation(text, cited):
                return Verdict(text, citations, True, "quotation")
            self._examine(text, [e.text for e in cited])
        except Failed as e:
            repair = _best(text, cited or list(evidence.values()))
            return Verdict(text, citations, False, e.reason, e.detail, repair)
        return Verdict(text, citations, True, "ok")

    def _examine(self, text: str, cited: Sequence[str]) -> None:
        _form(text, " ".join(cited))
        said = claims_of(text)
        if len(said) != 1:
            raise Failed("not_prose", "not one sentence")
        claim = said[0]
        alone: Failed | None = None
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
        about = _about(claim, statement)
        new = self._new_words(claim, statement)
        _entities(claim, new, statement, self._rarity)
        _amounts(claim, statement, about)
        _populations(claim, statement, about)
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


def _plain(text: str) -> str:
    return " ".join(text.translate(_PLAIN_MARKS).split()).strip(" .").casefold()


def _is_quotation(text: str, cited: Sequence[Evidence]) -> bool:
    said = _plain(text.strip('"“”'))
    if len(said.split()) < 3:
        return any(said == _plain(e.text) for e in cited)
    for e in cited:
        sentences = [c.text for c in claims_of(e.text)]
        runs = (
            " ".join(sentences[i:j])
            for i in range(len(sentences))
            for j in range(i + 1, len(sentences) + 1)
        )
        if said == _plain(e.text) or any(said == _plain(run) for run in runs):
            return True
    return False


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
        rare = rarity is not None and rarity(word.form) >= _RARE
        digits = any(c.isdigit() for c in word.form)
        if named or digits or (rare and len(word.form) > 4):
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
    share = 0.08 if hedged else 0.003
    whole = own.low == int(own.low) and other.low == int(other.low)
    if own.dimension == "count" and whole and (not hedged or 1900 <= own.low <= 2100):
        share = 0.0
    if own.dimension == "time":
        share = max(share, 0.015)
    pairs = ((own.low, other.low), (own.high, other.high))
    return all(abs(a - b) <= share * max(abs(a), abs(b), 1e-12) for a, b in pairs)


def _fits(claim: Claim, own: Amount, other: Amount) -> bool:
    """Whether an amount of the statement is the one that the claim gives."""
    dimension = own.dimension
    if dimension != other.dimension:
        return False
    hedged = _hedged(claim, own)
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
        if not matching:
            same = [a for _, a in theirs if _same_figure(own, a)]
            if same and own.dimension != "count":
                raise Failed("unit", f"“{own.text}” stands as “{same[0].text}”")
            raise Failed("number", f"“{own.text}” is in no cited statement")
        _bound(claim, own, matching, theirs)


def _same_figure(own: Amount, other: Amount) -> bool:
    figure = re.compile(r"\d[\d.,]*\d|\d")
    return bool(set(figure.findall(own.text)) & set(figure.findall(other.text)))


def _surroundings(claim: Claim, amount: Amount) -> frozenset[str]:
    """The names of the words that belong to an amount: its segment, and segments beside it that
    have no amount of their own."""
    at = claim.segment_of(amount.start)
    counted = {claim.segment_of(a.start) for a in claim.amounts if a.dimension == amount.dimension}
    own = {at}
    last = max((w.segment for w in claim.words), default=0)
    before = at - 1
    while before >= 0 and before not in counted:
        own.add(before)
        before -= 1
    after = at + 1
    while before < 0 and after <= last and after not in counted and len(counted) == 1:
        own.add(after)
        after += 1
    return frozenset(n for n in claim.in_segments(frozenset(own)) if not n[0].isdigit())


def _bound(
    claim: Claim,
    own: Amount,
    matching: Sequence[tuple[Claim, Amount]],
    theirs: Sequence[tuple[Claim, Amount]],
) -> None:
    """The amount must belong to what it belongs to in the statement, not to its neighbour."""
    if re.search(r"\bp\s?[=<>≤]\s*$", claim.text[: own.start]):
        return
    sentences = {c.text for c, _ in matching}
    rivals = [
        (c, a)
        for c, a in theirs
        if c.text in sentences
        and a.dimension in (own.dimension, "none")
        and not a.derived
        and not any(a is m for _, m in matching)
        and not _fits(claim, own, a)
        and not re.search(r"\bp\s?[=<>≤]+\s*$", c.text[: a.start])
    ]
    if not rivals:
        return
    around = _surroundings(claim, own)
    ours = frozenset[str]().union(*(_surroundings(c, a) for c, a in matching))
    others = [_surroundings(c, a) for c, a in rivals]
    worst = max(len((around & o) - ours) for o in others)
    support = len((around & ours) - frozenset[str]().union(*others))
    slack = 1 if support or own.dimension == "time" else 0
    if own.dimension == "count":
        support, slack = len(around & ours), 1
    if worst > support + slack:
        raise Failed("arm", f"“{own.text}” belongs to something else")
    for c, a in matching:
        if re.search(r"\brespectively\b|\bin (?:the same|that) order\b", c.text) or re.search(
            r"\brespectively\b", claim.text
        ):
            _in_order(claim, own, c, a)
            break


def _in_order(claim: Claim, own: Amount, statement: Claim, amount: Amount) -> None:
    """ "20 (86%) and 5 (21%) respectively": amounts and what they belong to go in one order."""
    for other in claim.amounts:
        if other is own or other.dimension != own.dimension:
            continue
        pair = next(
            (
                a
                for a in statement.amounts
                if _equal(other, a, False) and a.dimension == other.dimension
            ),
            None,
        )
        if pair is None or pair is amount:
            continue
        mine = _surroundings(claim, own) - _surroundings(claim, other)
        its = _surroundings(claim, other) - _surroundings(claim, own)
        # The order of the names may be set a sentence earlier: looked for where both stand.
        places = {w.name: w.start for w in reversed(statement.words)}
        first = min((places[n] for n in mine if n in places), default=None)
        second = min((places[n] for n in its if n in places), default=None)
        if first is None or second is None:
            raise Failed("arm", f"which side “{own.text}” belongs to cannot be told")
        if (first < second) != (amount.start < pair.start):
            raise Failed("arm", f"“{own.text}” belongs to the other side")


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
    if len(lost - NOT_PEOPLE - {"human"}) == 1 and stems & GENERAL_PEOPLE and not people:
        raise Failed("overgeneral", f"was seen in: {next(iter(lost))}")


def _routes(claim: Claim, statement: Sequence[Claim]) -> None:
    theirs = frozenset[str]().union(*(c.routes for c in statement))
    extra = claim.routes - theirs
    if extra:
        raise Failed("route", f"“{next(iter(extra))}” is in no cited statement")


# ------------------------------------------------------------------------------- how sure


_ALWAYS_OK = frozenset({"same", "any", "so", "via", "through", "standard", "exactly"})


def _strength(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    forms = {w.form for c in statement for w in c.words}
    for word in claim.words:
        kind = CLAIMS.get(word.form)
        if kind is None:
            continue
        if _has_like(word.form, forms):
            same = [
                w for c in statement for w in c.words if w.form == word.form or w.name == word.name
            ]
            if same and all(w.negated for w in same) and not word.negated:
                raise Failed("negation", f"“{word.form}” is denied there")
            continue
        if word.form in _ALWAYS_OK or _counts_only(claim, word):
            continue
        if word.form in ("need", "needs", "needed") and word.negated:
            continue
        raise Failed("causal" if kind == "causal" else "certainty", f"“{word.form}”")
    own = {w.form for w in claim.words}
    for sentence in about:
        clauses = _taken_up(claim, sentence)
        doubt = {w.form for w in sentence.words if w.clause in clauses} & DOUBT
        if doubt and not own & (DOUBT | {"can", "cannot", "not", "no", "expected", "estimated"}):
            raise Failed("certainty", f"the statement says “{next(iter(doubt))}”")
        seldom = {w.form for w in sentence.words if w.clause in clauses} & FREQUENCY_HEDGES
        if seldom and not own & (
            FREQUENCY_HEDGES
            | DOUBT
            | {"can", "commonly", "frequently", "main", "not", "certain", "cases"}
        ):
            raise Failed("certainty", f"the statement says “{next(iter(seldom))}”")


def _counts_only(claim: Claim, word: Word) -> bool:
    """ "only 8 %": a remark on an amount, which is looked for."""
    after = claim.text[word.start : word.start + 40].lower()
    return word.form == "only" and bool(
        re.match(r"only (?:about |around |some |[a-z]+ )?(?:\d|one in|a third|half)", after)
    )


_RHYTHM = re.compile(
    r"\b(?:per|an?|each|every)\s(hour|day|week|month|year)\b|\b(hour|dai|week|month|year|annual)ly\b"
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
    rhythms = [
        {next(g for g in m.groups() if g).lower()[:3] for m in _RHYTHM.finditer(t)}
        for t in (claim.text, given)
    ]
    rhythms = [
        {{"h": "hou", "d": "day", "dai": "day", "ann": "yea"}.get(r, r) for r in found}
        for found in rhythms
    ]
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
    if extra := often[0] - often[1] - ({"once"} if single else set()):
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
_AGAINST = re.compile(r"\bagainst\b", re.IGNORECASE)


def _poles(claims: Sequence[Claim]) -> dict[int, int]:
    """By pair of opposites, +1 or -1 for the side that the claims take; 0 for both."""
    found: dict[int, int] = {}
    for claim in claims:
        for n, w in enumerate(claim.words):
            if claim.text[w.start + len(w.form) : w.start + len(w.form) + 1] == "-":
                continue  # "low-dose" is a name
            for i, (one, other) in enumerate(OPPOSITE):
                side = 1 if w.stem in one else -1 if w.stem in other else 0
                if side and any(v.form == "against" for v in claim.words[n + 1 : n + 3]):
                    side = -side
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
    if found is None:
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


def _directions(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
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


def _denial(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    """What is denied there must be denied here, and nothing else."""
    own = {w.name for w in claim.words if w.content}
    denies = claim.denied()
    if not denies and not _OTHERWISE.search(claim.text):
        for sentence in statement:
            for _, reached in sentence.denied():
                names = {w.name for w in reached if w.form not in ("been", "being")}
                taken = own & names
                if names and len(taken) >= max(min(2, len(names)), 0.6 * len(names)):
                    raise Failed("negation", "denies nothing where it is denied")
    every = [(s, reached) for s in statement for _, reached in s.denied()]
    for word, reached in denies:
        names = {w.name for w in reached if w.stem not in GENERIC}
        if not names:
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


_DENIES = re.compile(
    r"\b(?:unclear|uncertain|unknown|insufficient|inadequate|inconclusive|too (?:little|few)|rather than|"
    r"ineffective|unable|impossible|unlikely|against|loss|discouraged?|exceptions?|only|alone|limited|"
    r"contraindicated|un(?:approved|treated|changed|affected|proven|related|involved)|in(?:complete|consistent)|"
    r"equal(?:ly)?|alike|similar(?:ly)?|p\s?[=>]\s?0?\.[1-9]\d*|0(?:\.0)? ?%|silent|few|less|lower|predates?|outside)\b",
    re.IGNORECASE,
)
"""What denies, or comes to the same, in other words than "no" and "not"."""
_OTHERWISE = re.compile(
    r"\b(?:unclear|uncertain|unknown|insufficient|inadequate|inconclusive|too (?:little|few)|rather than|"
    r"ineffective|unable|impossible|unlikely|against|discouraged?|contraindicated|limited to|only|"
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
