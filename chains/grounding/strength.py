"""How sure a sentence is, and how much it claims."""

import re
from collections.abc import Sequence
from itertools import pairwise

from chains.grounding.claims import Claim, Word
from chains.grounding.failed import Failed
from chains.grounding.likeness import has_like
from chains.grounding.words import CLAIMS, DOUBT, FREQUENCY_HEDGES, NEGATORS

_ALWAYS_OK = frozenset({"same", "any", "so", "via", "through", "standard", "exactly"})


def check_strength(
    claim: Claim, statement: Sequence[Claim], about: Sequence[Claim], new: Sequence[Word]
) -> None:
    forms = {
        w.form
        for c in statement
        for w in c.words
        if not (w.form in ("every", "each") and _EVERY.match(c.text, w.start))
    }
    stems = {w.stem for c in statement for w in c.words}
    told = bool(forms & {"you", "your"})
    for word in claim.words:
        kind = CLAIMS.get(word.form)
        if kind is None or word.form in _ALWAYS_OK or _is_turn(claim, word):
            continue
        if word.form in ("significant", "significantly") and not _is_significant(
            word, claim, statement
        ):
            raise Failed("negation", "no significant difference was shown there")
        if has_like(word.form, forms) or (kind != "exclusive" and word.stem in stems):
            same = [
                w for c in statement for w in c.words if w.form == word.form or w.name == word.name
            ]
            denied = word.negated or any(
                w.form in NEGATORS and w.clause == word.clause for w in claim.words
            )
            if kind != "exclusive" and same and all(w.negated for w in same) and not denied:
                raise Failed("negation", f"“{word.form}” is denied there")
            continue
        if _claims_little(claim, word, statement):
            continue
        if _counts_only(claim, word) or (kind == "instruction" and told):
            continue
        if word.form.startswith(("avoid", "withh", "contraind")) and any(
            _MUST_NOT.search(c.text) for c in statement
        ):
            continue
        if word.form in ("need", "needs", "needed") and word.negated:
            continue
        if claim.text.startswith("opposed to", word.start):
            continue
        if _OF_TIME.match(claim.text, word.start) or _LED_BY.match(claim.text, word.start):
            continue
        if word.form == "never" and any(_NEVER.search(c.text) for c in statement):
            continue
        if word.form in _AT_ANY and "any" in forms:
            continue
        if word.form in ("because", "since") and (
            _SO.search(" ".join(c.text for c in statement)) or _KNOWN.search(claim.text)
        ):
            continue
        raise Failed("causal" if kind == "causal" else "certainty", f"“{word.form}”")
    _check_reason(claim, new)
    _check_conditional(claim, about)
    if _ALL.search(claim.text) and not forms & _ALL_THERE:
        some = next((w for c in about for w in c.words if w.form in _NOT_ALL), None)
        if some and some.form not in {w.form for w in claim.words}:
            raise Failed("certainty", f"the statement says “{some.form}”")
    if _ANY.search(_DEATHS.sub(" ", claim.text)) and not (
        forms & {"all", "whatever", "whichever", "regardless", "irrespective", "every", "everyone"}
        or any(re.search(r"\b(?:of|at|in|for|with) any\b", c.text) for c in statement)
    ):
        raise Failed("overgeneral", "of any kind")
    if _LONG.search(claim.text) and not (
        forms & _LONG_THERE or any(_LONG.search(c.text) for c in statement)
    ):
        raise Failed("overgeneral", "for long")
    if _MOST.search(claim.text) and not (
        forms
        & {"most", "majority", "mostly", "usually", "all", "almost", "predominantly", "mainly"}
        or any(a.dimension == "share" and a.high >= 50 for c in statement for a in c.amounts)
    ):
        raise Failed("overgeneral", "of most")
    if _LASTING.search(claim.text) and not any(_LASTS.search(c.text) for c in statement):
        raise Failed("overgeneral", "for long")
    if _WOULD_HAVE.search(claim.text) and not any(_WOULD_HAVE.search(c.text) for c in statement):
        raise Failed("certainty", "what would have been")
    _check_association(claim, about)
    if _NO_RISK.search(claim.text) and not any(_NO_RISK.search(c.text) for c in statement):
        raise Failed("certainty", "said to be without risk")
    if _IT_IS.search(claim.text) and not any(_IT_IS.search(c.text) for c in statement):
        raise Failed("causal", "made the cause")
    _check_whether(claim, statement)
    own = {w.form for w in claim.words}
    for sentence in about:
        clauses = _taken_up(claim, sentence)
        # "promising but unproven" is one.
        clauses |= {c + 1 for c in clauses if _is_doubt(sentence, c + 1)}
        doubt = {
            w.form
            for w in sentence.words
            if w.clause in clauses
            and not sentence.text.startswith("May ", w.start)
            and _is_taken_up(claim, sentence, w)
        } & DOUBT
        if doubt and not own & (
            DOUBT
            | {
                "proposed",
                "proposes",
                "option",
                "consider",
                "considered",
                "can",
                "cannot",
                "not",
                "no",
                "expected",
                "estimated",
            }
        ):
            raise Failed("certainty", f"the statement says “{next(iter(doubt))}”")
        seldom = {
            w.form
            for w in sentence.words
            if w.clause in clauses and not _COMPARED.search(sentence.text[: w.start])
        } & FREQUENCY_HEDGES
        if seldom and not own & (
            FREQUENCY_HEDGES
            | DOUBT
            | {"most", "can", "commonly", "frequently", "main", "not", "certain", "cases"}
        ):
            raise Failed("certainty", f"the statement says “{next(iter(seldom))}”")


_LITTLE = re.compile(
    r"should be (?:taken|seen|read|regarded|understood|viewed|interpreted|decided|considered) |"
    r"effective (?:in|against)|equal (?:doses|parts|portions|groups|halves)|"
    r"only (?:observed|watched|scattered|limited|few|small|modest|short|slight|weak)\b|"
    r"best (?:given|taken|avoided|used|started|stopped|applied)\b|led (?:\d|the authors|researchers)",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"\b(?:about|roughly|nearly|almost|much|broadly) $", re.IGNORECASE)
_OPINION = re.compile(
    r"\b(?:patients|authors|experts|they|what|who|people|clinicians|panel|group|is|are|was|were|be)\s$",
    re.I,
)
_EVERY = re.compile(
    r"(?:every|each) (?:other |few )?(?:\d|one\b|two\b|three\b|four\b|six\b|eight\b|twelve\b|second|hour|day|night|morning|week|month|year)",
    re.I,
)
_P_VALUE = re.compile(r"\bp\s?(?P<sign>[=<>≤])\s?(?P<value>0?\.\d+)", re.IGNORECASE)


def _is_significant(word: Word, claim: Claim, statement: Sequence[Claim]) -> bool:
    """Whether it can be called significant: by the statement's words, or not against its p-values."""
    if word.negated or any(w.form in NEGATORS for w in claim.words):
        return True
    said = [w for c in statement for w in c.words if w.form.startswith("significan")]
    if said:
        return True
    values = [(m["sign"], float(m["value"])) for c in statement for m in _P_VALUE.finditer(c.text)]
    return not values or any(sign != ">" and value <= 0.05 for sign, value in values)


_NO_RISK = re.compile(
    r"\b(?:has|have|had|carr(?:y|ies|ied)|poses?|posed|bears?|is|are|was|were|with) (?:no|without|free (?:of|from)|devoid of) "
    r"(?:any )?(?:\w+ ){0,2}(?:risks?|dangers?|harms?)\b",
    re.IGNORECASE,
)
_ACTS = re.compile(
    r"(?<!was )(?<!were )(?<!is )(?<!are )(?<!be )(?<!been )\b(?:rais|lower|reduc|increas|prevent|protect|improv|shorten|prolong|worsen|accelerat|slow|doubl|halv)"
    r"(?:s|es|ed)\b(?= (?:the|their|its|a|an|hip|[a-z]+s?|[a-z]+ [a-z]+) ?)",
    re.IGNORECASE,
)
_TIED = re.compile(
    r"\b(?:associat|link|correlat|relat|predict|risk factor|observ|followed by|seen with|after)\w*",
    re.IGNORECASE,
)
_ONLY_TIED = re.compile(
    r"\b(?:associated|association|linked|correlat\w+|related to)\b", re.IGNORECASE
)


def _check_association(claim: Claim, about: Sequence[Claim]) -> None:
    """What goes together there does not act here."""
    acts = _ACTS.search(claim.text)
    if not acts or _TIED.search(claim.text) or any(w.form in DOUBT | NEGATORS for w in claim.words):
        return
    if all(_ONLY_TIED.search(c.text) and not _ACTS.search(c.text) for c in about):
        raise Failed("causal", f"“{acts[0]}” where it is associated")


_CAUSE = re.compile(
    r"\b(?:any|all|every|an?|the|other|same|[a-z]+(?:al|ar|ic|ous))[ -]$", re.IGNORECASE
)
"""Before "cause" that is a noun."""
_SAID_OF_ALL = frozenset("all every everyone everybody always completely".split())
_PURPOSE = re.compile(r"(?:^to|, to|in order to) $", re.IGNORECASE)
_NOT = frozenset("cannot no not none neither nor never nobody nothing without".split())
_CAUSED_LESS = re.compile(r"(?:caus|produc)\w+ (?:\w+ )?(?:less|fewer|more)\b", re.IGNORECASE)
_ASSOCIATED = re.compile(
    r"\b(?:associat|link|correlat|relat|cohort|observational|retrospective|series|registr|case)\w*",
    re.IGNORECASE,
)
_ACTED = re.compile(
    r"\b(?:lower|reduc|rais|increas|improv|shorten|prolong|halv|doubl|cut|less|fewer|more)\w*",
    re.IGNORECASE,
)


def _claims_little(claim: Claim, word: Word, statement: Sequence[Claim]) -> bool:
    """Where a word that claims much does not: denied, as a purpose, of figures that say so."""
    text = claim.text
    given = " ".join(c.text for c in statement)
    kind = CLAIMS[word.form]
    if _LITTLE.match(text, word.start) or re.search(r"\bwhether\b", text[: word.start]):
        return True
    if _CAUSE.search(text[: word.start]) and re.match(r"causes?\b(?! of)", text[word.start :]):
        return True
    if word.form.startswith("consider") and _OPINION.search(text[: word.start]):
        return True
    if word.form in ("equally", "same", "similarly") and _ABOUT.search(text[: word.start]):
        pairs = [
            (a.low, b.low)
            for c in statement
            for a, b in pairwise(c.amounts)
            if a.dimension == b.dimension
        ]
        return any(min(p) >= 0.85 * max(p) > 0 for p in pairs)
    if word.form == "effective" and re.search(r"\b(?:more|less) $", text[: word.start]):
        return sum(a.dimension == "share" for c in statement for a in c.amounts) >= 2
    if word.form == "never":
        return any(w.form in _NOT for c in statement for w in c.words)
    if word.form in _SAID_OF_ALL:
        most = _NEARLY.search(text[: word.start]) is not None
        shares = [a.low for c in statement for a in c.amounts if a.dimension == "share"]
        return any(s >= (90 if most else 100) for s in shares)
    if kind == "causal" and word.form not in ("because", "due", "owing", "since", "so"):
        denied = any(
            w.form in _NOT and w.clause == word.clause and w.start < word.start for w in claim.words
        )
        if denied or (_CAUSED_LESS.match(text, word.start) and _acted(given)):
            return True
    if word.form == "only" and re.match(r"only (?:once|after|when)\b", text[word.start :]):
        return any(w.form in _NOT for c in statement for w in c.words) and "but" in given.split()
    return kind != "instruction" and (
        _PURPOSE.search(text[: word.start]) is not None
        or (word.form.endswith("ing") and text[: word.start].endswith(" in "))
    )


def _acted(given: str) -> bool:
    return _ACTED.search(given) is not None and _ASSOCIATED.search(given) is None


_NEARLY = re.compile(r"\b(?:nearly|almost|virtually|practically) $", re.IGNORECASE)


_WHETHER = re.compile(
    r"\b(?:unclear|uncertain\w*|unknown|not (?:known|clear|certain)|insufficient|cannot|could not|unable|doubt\w*|open|"
    r"unsettled|unresolved|question\w*|immature|too (?:few|little|small))\b[^.;]{0,40}?\b(?:whether|if|how)\b([^.;]*)",
    re.IGNORECASE,
)


def _check_whether(claim: Claim, statement: Sequence[Claim]) -> None:
    """What is open there is not settled here."""
    if any(w.form in DOUBT | NEGATORS | {"whether", "insufficient"} for w in claim.words):
        return
    for c in statement:
        if found := _WHETHER.search(c.text):
            asked = {w.name for w in c.telling if found.start(1) <= w.start < found.end(1)}
            elsewhere = {n for s in statement if s is not c for n in s.names} | {
                w.name for w in c.telling if not found.start(1) <= w.start < found.end(1)
            }
            if (
                len(asked) >= 2
                and len((asked - elsewhere) & claim.names) >= 0.6 * len(asked - elsewhere) > 0
            ):
                raise Failed("certainty", "it is open there")


_OF_TIME = re.compile(
    r"since (?:(?:the|their|its|his|her|that|these|those|then|an?) )?(?!(?:\w+ ){0,3}(?:is|are|was|were|has|have|had|did|do|does|may|can|could|might)\b)"
    r"(?:(?!\w+ed\b)[a-z-]+ ){0,3}(?!\w+ed\b)[a-z-]+\s*(?:[,;)]|\.(?!\d)|$)|since (?:19|20)\d\d|due (?:every|each|at|in|on|after|before|within|when|again|next|now)\b",
    re.IGNORECASE,
)
_LED_BY = re.compile(r"led by\b", re.IGNORECASE)
_NEVER = re.compile(
    r"\b(?:must|should|may|can|is|are|be) not\b|\bnever\b|\bcontraindicated\b", re.IGNORECASE
)
_AT_ANY = frozenset({"whatever", "whichever", "regardless", "irrespective"})


_ALL = re.compile(
    r"\b(?:all|always|(?:every|each)(?! (?:\d|other\b|one\b|two\b|three\b|four\b|five\b|six\b|eight\b|ten\b|twelve\b|few\b|hour|day|week|month|year)))\b(?! of the \w+ (?:trials|studies))",
    re.IGNORECASE,
)
_ALL_THERE = frozenset("all every each both always any throughout whole 100 none no".split())
_NOT_ALL = frozenset("most many some several majority few mostly usually often".split())
_ADVISES = frozenset({"recommend", "prefer"})
_CAREFUL = DOUBT | frozenset(
    "conditionally conditional weakly weak can consider considered considers option options "
    "suggests suggest leans lean cautiously".split()
)


def _check_conditional(claim: Claim, about: Sequence[Claim]) -> None:
    """What is advised conditionally there is not advised outright here."""
    own = {w.form for w in claim.words}
    if own & _CAREFUL or not any(w.name in _ADVISES for w in claim.words):
        return
    for c in about:
        for n, word in enumerate(c.words):
            if word.form not in ("conditionally", "weakly"):
                continue
            behind = [w for w in c.words[n + 1 :] if w.content and w.name not in _ADVISES][:3]
            if sum(w.name in claim.names for w in behind) >= 2:
                raise Failed("certainty", f"the statement says “{word.form}”")


def _check_reason(claim: Claim, new: Sequence[Word]) -> None:
    """The reason that is given must be one that the statement has."""
    fresh = {w.start for w in new}
    for word in claim.words:
        if word.form in ("because", "since", "due", "owing"):
            reason = [w for w in claim.telling if w.start > word.start][:8]
            unknown = [w for w in reason if w.start in fresh]
            if len(unknown) >= 2 and len(unknown) >= 0.5 * len(reason):
                raise Failed("causal", f"“{unknown[0].form}” is in no cited statement")


_DEATHS = re.compile(r"\b(?:mortality|deaths?|died)\b[^,;.]{0,20}\bcauses?\b", re.IGNORECASE)
_ANY = re.compile(
    r"\b(?:of|at|for|in|with|after|during|by|from|on|to|before|under) (?:any|all) (?:age|form|kind|type|purpose|stage|dose|severity|cause|reason|sort|degree|"
    r"respect|way|case|circumstances?|condition)s?\b|\b(?:regardless|irrespective) of\b|\bno matter\b",
    re.IGNORECASE,
)
_LONG = re.compile(
    r"\blong[- ]term\b|\bpermanent(?:ly)?\b|\blife-?long\b|\bfor (?:good|life|ever)\b",
    re.IGNORECASE,
)
_LONG_THERE = frozenset("permanent permanently years lifelong life lasting persistent".split())


_MUST_NOT = re.compile(
    r"\b(?:must|should|may|can|is|are) not\b|\bagainst\b|\bnot be used\b|\bnever \w+ing\b", re.I
)


_KNOWN = re.compile(
    r"\b(?:evidence|unclear|uncertain|cannot (?:show|tell|say|be|prove|establish|demonstrate)|could not (?:tell|say|be)|no (?:recommendation|conclusion|rate)s?|"
    r"insufficient|conclu\w+)\b",
    re.IGNORECASE,
)
"""What is the reason of something known or not known is not the cause of a thing."""


_SO = re.compile(
    r"\bso that\b|, so\b|\btherefore\b|, to (?:limit|avoid|prevent|reduce|lower|protect|keep)\b",
    re.IGNORECASE,
)


_MOST = re.compile(
    r"\b(?:most|the majority of|nearly all|almost all|the bulk of) (?:of )?(?:the )?(?:people|patients|children|adults|women|"
    r"men|infants|cases|lesions|scars|those)\b",
    re.IGNORECASE,
)


_LASTING = re.compile(
    r"\blasting (?!\d|(?:for|up|about|an?|from|between|less|more|over|under|at|just|only|on|one|two|three|"
    r"four|five|six|eight|ten|twelve|until|through|around|roughly|nearly)\b)",
    re.IGNORECASE,
)
_LASTS = re.compile(r"\b(?:lasting|durable|long|persist\w*|permanent|sustain\w*|remain\w*)\b", re.I)


_WOULD_HAVE = re.compile(r"\bwould (?:\w+ )?have (?:\w+ )?(?:been|\w+ed|\w+en)\b", re.IGNORECASE)


_IT_IS = re.compile(
    r"\bit (?:was|is) (?:the |an? )?[^,;]{2,60} (?:that|which|who)\b|\b(?:was|is) what\b(?! (?:most|the|patients|they|many|some|all|members|experts))|\b(?:was|is|were|are) the (?:main |only |likely |sole )?(?:reason|cause|explanation)s?\b|\b(?:was|were|is|are|lies?) behind\b",
    re.IGNORECASE,
)


_TURNS = re.compile(
    r"(?:are|were|is|was|had|have|which) all\b(?! \w+s\b)|, all(?= \w+ing\b| (?:of|with|from|on|at|in|p)\b)|(?:in|at) all(?=[,.;)]|$|\s\d)|all (?:with|of (?:whom|which|them))|(?:every|each) (?:\d|one|two|three|four|five|six|eight|ten|twelve|other|few|second|hour|day|morning|night|week|month|year)"
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


_COMPARED = re.compile(r"\b(?:more|most|less|least|as|how|so)\s$", re.IGNORECASE)


def _is_doubt(sentence: Claim, clause: int) -> bool:
    """Whether a clause is a single word of doubt."""
    said = [w.form for w in sentence.telling if w.clause == clause]
    return len(said) == 1 and said[0] in DOUBT


def _is_taken_up(claim: Claim, sentence: Claim, word: Word) -> bool:
    """Whether the claim has something of what stands next to a word of doubt."""
    clause = [w for w in sentence.telling if w.clause == word.clause and w is not word]
    near = [w for w in clause if w.start > word.start][:5] or [
        w for w in clause if w.start < word.start
    ][-5:]
    return not near or any(w.name in claim.names for w in near)


def _taken_up(claim: Claim, sentence: Claim) -> set[int]:
    """The clauses of the sentence that the claim takes up."""
    shared: dict[int, int] = {}
    total: dict[int, int] = {}
    for w in sentence.telling:
        total[w.clause] = total.get(w.clause, 0) + 1
        if w.name in claim.names:
            shared[w.clause] = shared.get(w.clause, 0) + 1
    own = len(claim.telling)
    most = max(shared.values(), default=0)
    return {
        c
        for c, n in shared.items()
        if n >= 2 and n >= 0.5 * min(total[c], own) and (n >= 0.5 * most or n >= 0.75 * total[c])
    }
