"""What is denied in one text and not in the other."""

import re
from collections.abc import Sequence, Set

from chains.grounding.claims import Claim, Word, is_harmless
from chains.grounding.comparison import NO_DIFFERENCE, NOT_SHOWN
from chains.grounding.equal import fits
from chains.grounding.failed import Failed
from chains.grounding.words import GENERAL_PEOPLE, GENERIC, NEGATORS, OPPOSITE, POPULATIONS, SAME
from store.lexical import stem


def _denied(word: Word, reached: Sequence[Word]) -> set[str]:
    """The words nearest to one that denies: what it is about."""
    said = [w for w in reached if w.form not in ("been", "being") and w.stem not in GENERIC]
    before = [w for w in said if w.start < word.start][-2:]
    return {w.name for w in [*before, *[w for w in said if w.start > word.start][:5]]}


_TWICE = re.compile(
    r"\b(?:no|none|nobody|neither|nothing|never)\b(?:(?!\b(?:but|and|that|which|who|while|or|nor)\b)[^,;.]){0,60}?\b(?:not|never|(?<!or )without)\b"
    r"|\bnot\b (?:\w+ ){0,1}(?:no|never|without)\b|\bwithout no\b",
    re.IGNORECASE,
)
"""What denies a denial."""


_NOBODY = frozenset({"none", "nobody", "neither", "nor"})


_SCOPE = 7
"""Words behind one that denies, up to which it can reach."""


_STUDIES = {stem(w) for w in ("trial", "trials", "study", "studies", "reports", "history")}
_OF_A_THING = frozenset({"free", "without"})
_AFTER_A_THING = frozenset("after at by during with in for on among".split())
_LIGHT = {
    SAME.get(w, w)
    for w in map(
        stem,
        "deemed described considered judged found given seen shown reported associated".split(),
    )
}
"""Verbs through which a denial reaches what follows."""


_Polarity = dict[str, list[tuple[bool, int]]]
"""By name of a word: each time it stands there, whether it is denied, and how many words of content
lie between it and what denies it."""


def _polarity(claim: Claim) -> _Polarity:
    found: _Polarity = {}
    words = claim.words
    v_at = {v.start: n for n, v in enumerate(words)}
    for i, w in enumerate(words):
        if not w.content or w.form[0].isdigit() or w.stem in GENERAL_PEOPLE | POPULATIONS.keys():
            continue
        denied, between, depth, had, prevented = False, 0, 0, False, False
        reached = w.form in _AFTER_A_THING
        for v in reversed(words[max(0, i - _SCOPE) : i]):
            if v.clause != w.clause or v.form in ("whether", "than", "between"):
                break
            if v.form == "of" and words[v_at[v.start] - 1].stem in _STUDIES:
                between += 2  # "no trials of stopping" denies the trials
            had = had or v.form == "with"
            reached = reached or v.form in _AFTER_A_THING
            prevented = prevented or v.form.startswith("prevent")
            if had and v.form == "without":
                break  # "without A and with B"
            if v.form in NEGATORS and v.form not in _NOBODY and not is_harmless(claim.text, v):
                if v.form in _OF_A_THING and reached:
                    continue  # "free of A after B" denies A
                denied = not denied
                depth = depth or between + (2 if between and v.form == "without" else 1)
            elif v.content and v.stem not in GENERIC and v.name not in _LIGHT:
                between += 1
        denied = denied and not prevented  # what is not prevented is not denied
        found.setdefault(w.name, []).append((denied, depth - 1 if denied else 99))
    return found


def _polarities(statement: Sequence[Claim]) -> _Polarity:
    """`_polarity` of all sentences of the statement."""
    found: _Polarity = {}
    for c in statement:
        for name, places in _polarity(c).items():
            found.setdefault(name, []).extend(places)
    return found


def _turned(claim: Claim, statement: Sequence[Claim], theirs: _Polarity) -> None:
    """A word next to one that denies must stand so in the statement, and the other way round."""
    stems = {w.stem for w in claim.words}
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
        if True in own:
            otherwise = any(
                _denied_otherwise(c, {name}, stems)
                or any(
                    v.form in NEGATORS and v.clause == w.clause
                    for w in c.words
                    if w.name == name
                    for v in c.words
                )
                or (
                    name in _DIFFERENCE | _TIED
                    and (NO_DIFFERENCE.search(c.text) or NOT_SHOWN.search(c.text))
                )
                or re.search(r"\bagainst\b|\bbut not\b|, not\b", c.text)
                for c in statement
                if name in c.names
            )
        else:
            otherwise = (
                any(
                    SAME.get(s := stem(m[0].lower()), s) != name
                    for m in _OTHERWISE.finditer(claim.text)
                )
                or any(_BUT_DID.search(c.text) for c in statement if name in c.names)
                or NO_DIFFERENCE.search(claim.text) is not None
                or _of_another(claim, statement, name)
                or any(
                    w.name == name and _UNLIKE.search(claim.text[: w.start]) for w in claim.words
                )
            )
        given = " ".join(c.text for c in statement)
        if otherwise or (_NO_BETTER.search(claim.text) and _EQUAL.search(given)):
            continue
        raise Failed("negation", f"“{name}” is {'not ' if True in own else ''}denied there")


def _of_another(claim: Claim, statement: Sequence[Claim], name: str) -> bool:
    """Whether the clause that denies it there is about something that the claim does not name."""
    for c in statement:
        clauses = {w.clause for w in c.words if w.name == name}
        for clause in clauses:
            about = {w.name for w in c.telling if w.clause == clause} - {name}
            rest = {w.name for w in c.telling if w.clause != clause}
            if not about or about & claim.names or len(rest & claim.names) < 3:
                return False
    return True


_BUT_DID = re.compile(
    r"\bbut (?:it |they |he |she )?(?:did|was|were|does|do|is|had|has)(?! not)\b", re.IGNORECASE
)
_UNLIKE = re.compile(
    r"\b(?:unlike|contrast (?:with|to)|opposed to|rather than|instead of) (?:\w+ ){0,2}$",
    re.IGNORECASE,
)


_NOT_ALWAYS = re.compile(
    r"\bnot (?:always|every|all|necessarily|usually|routinely)\b", re.IGNORECASE
)


def check_denial(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    """What is denied there must be denied here, and nothing else."""
    if _TWICE.search(claim.text) and not any(_TWICE.search(c.text) for c in statement):
        raise Failed("negation", "denied twice")
    if re.search(r"\b(?:never|none|no longer)\b", claim.text, re.IGNORECASE) and any(
        _NOT_ALWAYS.search(c.text) for c in about
    ):
        raise Failed("overgeneral", "is denied of some only there")
    theirs = _polarities(statement)
    _turned(claim, statement, theirs)
    _check_without(claim, statement, theirs)
    _check_with(claim, statement)
    _check_amounts(claim, statement)
    _check_differs(claim, statement, about)
    _check_some(claim, about)
    own = {w.name for w in claim.words if w.content}
    denies = claim.denied()
    denials = [(s, word, reached) for s in statement for word, reached in s.denied()]
    denies_nothing = not denies and not re.search(r"\bagainst\b", claim.text)
    if denies_nothing and not _OTHERWISE.search(claim.text):
        for _, word, reached in denials:
            names = _denied(word, reached)
            behind = {w.name for w in reached if w.start > word.start and w.name in names}
            if behind and not own & behind:
                continue  # only what it is said of is shared
            before = {w.name for w in reached if w.start < word.start and w.stem not in GENERIC}
            before |= {
                w.name
                for s in statement
                if word in s.words
                for w in s.telling
                if w.clause == word.clause and w.start < word.start
            }
            rest = {n for s in statement for n in s.names} - names
            if before and not before & own and len(own & rest) >= 4:
                continue  # denied of something else
            if word.form == "without" and any(
                name in behind and not all(denied for denied, _ in places)
                for name, places in theirs.items()
            ):
                continue  # spoken of with it too
            weak = len(names) == 1 and word.form not in ("not", "no", "never", "cannot")
            if names and not weak and len(own & names) >= max(min(2, len(names)), 0.4 * len(names)):
                raise Failed("negation", "denies nothing where it is denied")
    for _, word, reached in denials:
        if word.form != "against":
            _check_kept(claim, word, reached, statement)
    advised = not re.search(r"\bagainst\b|\bdiscourag|\bcontraindicat|\bavoid|\bnot\b", claim.text)
    for _, word, reached in denials:
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
    of_all = (
        re.search(r"\b(?:both|all|each|either|consistently)\b", claim.text, re.IGNORECASE)
        and not denies
    )
    if of_all and any(_ONE_NOT.search(c.text) for c in about):
        raise Failed("negation", "one of them is excepted there")
    given = " ".join(c.text for c in statement)
    for word, reached in denies:
        if _NO_BETTER.match(claim.text, word.start) and (
            _NO_BETTER.search(given) or NO_DIFFERENCE.search(given)
        ):
            continue
        if word.form == "without" and _OTHER_ARM.search(claim.text[: word.start]):
            continue
        if _OPEN.match(claim.text, word.start) and _OPEN_THERE.search(given):
            continue
        if _CREDITED.match(claim.text, word.start) and _WEAK_GROUND.search(given):
            continue
        if word.form != "against" or not _ADVISED_NOT.search(" ".join(c.text for c in statement)):
            _check_justified(claim, word, reached, statement, denials)


_CREDITED = re.compile(
    r"(?:cannot|could not|not|never)(?: \w+){0,2} (?:put down|attribut\w+|ascrib\w+|credit\w*|prove\w*|explain\w*|inferred|concluded|due)\b",
    re.I,
)
_WEAK_GROUND = re.compile(
    r"\b(?:uncontrolled|without a control|no control|confound\w*|retrospective|observational|may explain|regression to the mean|"
    r"before-and-after|cannot|bias)\b",
    re.I,
)
_ONE_NOT = re.compile(
    r"\bbut not\b|\bone\b[^.;]{0,80}\bbut\b[^.;]{0,60}\b(?:no|not)\b|\bone\b[^.]{0,60}\b(?:not|no|nor|neither)\b[^.]{0,30}\bthe other\b|"
    r"\bone\b[^.]{0,60}\bthe other\b[^.]{0,30}\b(?:not|no)\b",
    re.IGNORECASE,
)
_NO_BETTER = re.compile(
    r"\b(?:no|not) (?:more|less|better|worse|higher|lower|fewer)\b", re.IGNORECASE
)
_EQUAL = re.compile(
    r"\bas (?:frequent|common|often|effective|likely|good|well|many|much|severe)\b|\bequal|\bsimilar|\balike\b",
    re.I,
)
_OTHER_ARM = re.compile(r"\b(?:as|than|and|or|v|versus|against)\s$", re.IGNORECASE)
_OPEN = re.compile(
    r"(?:cannot|could not|not|unable to|no) (?:\w+ )?(?:tell|say|show|know\w*|clear|certain|settled?|established|proven|evidence|data|studies|trials)\b",
    re.I,
)
_OPEN_THERE = re.compile(
    r"\b(?:un(?:clear|known|certain|proven|tested|studied)|whether|insufficient|inconclusive|too few|too little|open question|lack\w*|no|not)\b",
    re.I,
)
_ADVISED_NOT = re.compile(
    r"\b(?:against|not|avoid\w*|contraindicat\w*|discourag\w*|withh[eo]ld\w*|stop\w*|except\w*|insufficient|unsafe)\b",
    re.IGNORECASE,
)


def _check_without(claim: Claim, statement: Sequence[Claim], theirs: _Polarity) -> None:
    """What something is said to be without must be denied somewhere there."""
    stems = {w.stem for w in claim.words}
    for n, word in enumerate(claim.words):
        if word.form != "without" or is_harmless(claim.text, word):
            continue
        what = _thing(claim, n)
        there = [denied for w in what for denied, _ in theirs.get(w.name, ())]
        told = any(
            _denied_otherwise(c, {w.name for w in what}, stems, weakly=False) for c in statement
        )
        told = told or any(
            v.form in _NOBODY and v.clause == w.clause
            for c in statement
            for w in c.words
            if w.name in {x.name for x in what}
            for v in c.words
        )
        if there and not any(there) and not told:
            raise Failed("negation", f"“{what[0].form}” is not denied there")


def _thing(claim: Claim, n: int) -> list[Word]:
    """Up to two content words behind the nth one, before a verb."""
    found: list[Word] = []
    for w in claim.words[n + 1 :]:
        if w.clause != claim.words[n].clause or (found and w.form in _FINITE) or len(found) == 2:
            break
        if w.content and not w.form[0].isdigit():
            found.append(w)
    return found


_SOME = re.compile(
    r"\b(?:several|some|many|a few|most|various|numerous)\b(?! (?:weeks|months|years|days|hours|times))",
    re.I,
)


def _check_some(claim: Claim, about: Sequence[Claim]) -> None:
    """Of whom there were none there, there are not some here."""
    if not _SOME.search(claim.text) or any(w.form in NEGATORS for w in claim.words):
        return
    for c in about:
        none = next((w for w in c.words if w.form in _NOBODY and w.form != "nor"), None)
        if none is None or _SOME.search(c.text):
            continue
        clause = [w for w in c.words if w.clause == none.clause and w.content]
        if {w.name for w in clause} & {w.name for w in claim.words}:
            raise Failed("negation", "there were none there")


def _check_differs(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    """A difference is significant only where it is so there."""
    if not _DIFFERS.search(claim.text) or any(w.form in NEGATORS for w in claim.words):
        return
    given = " ".join(c.text for c in statement)
    denied = any(NO_DIFFERENCE.search(c.text) or NOT_SHOWN.search(c.text) for c in about)
    if denied and not _SIGNIFICANT.search(given):
        raise Failed("negation", "no significant difference was shown there")


_DIFFERS = re.compile(
    r"\bdiffered\b|\b(?:with|was|were|found|showed) (?:an? )?(?:\w+ )?differences?\b|\bsignificant(?:ly)? (?:difference|more|less|fewer|better|worse|higher|lower|longer|shorter)\b"
    r"|\bdiffer\w* significantly\b|\bsignificantly (?:re|im|in|de|low|rais|short|prolong)\w*ed\b",
    re.IGNORECASE,
)
_SIGNIFICANT = re.compile(
    r"\bp\s?(?:<|=\s?0?\.0[0-4])|(?<!not )(?<!no )(?<!not differ )(?<!not a )\bsignificant(?:ly)? (?:more|less|fewer|better|"
    r"worse|higher|lower|longer|shorter|reduc|improv)",
    re.IGNORECASE,
)


_SHORT_OF = re.compile(
    r"\b(?:below|under|less than|short of|beneath|smaller than|above|over)\s(?:the\s)?$", re.I
)
_FINITE = frozenset(
    "can could may might will would shall should must was were is are am has have had did does do "
    "this it they".split()
)


_BEFORE_A_THING = frozenset("with in on for of at by had has have having".split())


def _scope(claim: Claim, word: Word) -> list[Word]:
    """The content words that one word denies: of "without" and "with no" those up to the verb, of
    others those up to the end of the clause and two before."""
    n = claim.words.index(word)
    found: list[Word] = []
    of_a_thing = word.form == "without" or (
        word.form == "no" and n > 0 and claim.words[n - 1].form in _BEFORE_A_THING
    )
    for w in claim.words[n + 1 :]:
        if w.clause != word.clause or (of_a_thing and found and w.form in _FINITE):
            break
        if w.content:
            found.append(w)
    before = [w for w in claim.words[:n] if w.content and w.clause == word.clause][-2:]
    return found if of_a_thing else [*before, *found]


def _check_amounts(claim: Claim, statement: Sequence[Claim]) -> None:
    """Of whom something was said there, with a figure, it is not denied here."""
    for word in claim.words:
        if word.form not in ("not", "never", "without") or is_harmless(claim.text, word):
            continue
        clause = [w for w in claim.words if w.clause == word.clause]
        start, end = word.start, clause[-1].start + len(clause[-1].form)
        for own in claim.amounts:
            if not start < own.start < end or own.dimension in ("none", "time", "frequency"):
                continue
            there = [c for c in statement if any(fits(claim, own, a) for a in c.amounts)]
            if there and not any(
                _denies_at_all(c)
                or any(
                    fits(claim, own, a) and _SHORT_OF.search(c.text[: a.start]) for a in c.amounts
                )
                for c in there
            ):
                raise Failed("negation", f"“{own.text}” is not denied there")


def _denies_at_all(sentence: Claim) -> bool:
    return (
        any(w.form in NEGATORS for w in sentence.words)
        or _DENIES.search(sentence.text) is not None
        or NO_DIFFERENCE.search(sentence.text) is not None
        or any(a.dimension == "none" for a in sentence.amounts)
    )


def _check_with(claim: Claim, statement: Sequence[Claim]) -> None:
    """What was without something there is not with it here."""
    if any(w.form in ("without", "lack", "lacked", "lacks") for w in claim.words):
        return
    theirs: dict[str, list[bool]] = {}
    for c in statement:
        denied = {
            v.start
            for w in c.words
            if w.form in ("without", "no", "lacked", "lacks")
            for v in [v for v in c.words if v.start > w.start and v.content][:2]
        }
        for w in c.words:
            theirs.setdefault(w.name, []).append(w.start in denied)
    for n, word in enumerate(claim.words):
        if word.form != "with" or is_harmless(claim.text, word):
            continue
        what = [
            w
            for w in claim.words[n + 1 : n + 5]
            if w.segment == word.segment and w.content and w.stem not in GENERIC
        ][:1]
        if what and any(w.form in NEGATORS for w in claim.words[n + 1 : n + 3]):
            continue
        if what and theirs.get(what[0].name) and all(theirs[what[0].name]):
            raise Failed("negation", f"was without “{what[0].form}” there")


def _check_kept(
    claim: Claim, word: Word, reached: Sequence[Word], statement: Sequence[Claim]
) -> None:
    """What is denied there is not said here without a denial in the same clause."""
    after = [w for w in reached if w.start > word.start and w.stem not in GENERIC][:2]
    lost = {w.name for w in after}
    if len(lost) < 2:
        return
    said = [w for w in claim.words if w.name in lost]
    if {w.name for w in said} != lost or len({w.clause for w in said}) > 1:
        return
    clause = [w for w in claim.words if w.clause == said[0].clause]
    if any(
        {v.name for v in _scope(claim, w)} & lost
        for w in clause
        if w.form in NEGATORS and not is_harmless(claim.text, w)
    ):
        return
    text = claim.text[clause[0].start : clause[-1].start + len(clause[-1].form)]
    elsewhere = any(
        not denied
        for c in statement
        if not (word.form in _NOBODY and word in c.words)
        for denied, _ in _polarity(c).get(after[0].name, ())
    )
    if not elsewhere and not _OTHERWISE.search(text) and not _LESS.search(text):
        raise Failed("negation", f"“{after[0].form}” is denied there")


_LESS = re.compile(
    r"\b(?:only|alone|except|other than|against|both|less|fewer|lower|rather|than|if|whether|or)\b",
    re.IGNORECASE,
)


def _check_justified(
    claim: Claim,
    word: Word,
    reached: Sequence[Word],
    statement: Sequence[Claim],
    denials: Sequence[tuple[Claim, Word, Sequence[Word]]],
) -> None:
    """What one word denies must be denied there: the same, or what comes to the same."""
    said = [w for w in reached if w.stem not in GENERIC]
    names = {w.name for w in said}
    if not names or (word.form == "unchanged" and _NEARLY.search(claim.text)):
        return
    compares = names & _DIFFERENCE
    if compares and any(
        NO_DIFFERENCE.search(c.text) or NOT_SHOWN.search(c.text) or _ALIKE.search(c.text)
        for c in statement
    ):
        return
    of_a_thing = word.form == "without"
    if of_a_thing and any(w.form in ("alone", "monotherapy") for c in statement for w in c.words):
        return
    near = _nearest(word, said, 2 if of_a_thing else 3)
    for _, other, theirs in denials:
        if near & _nearest(other, theirs, 3 if of_a_thing else 4):
            return
    best = max(statement, key=lambda c: len(names & c.names))
    if not names & best.names or _denied_otherwise(best, near, {w.stem for w in claim.words}):
        return
    if "differ" in near and NO_DIFFERENCE.search(best.text):
        return
    if not any(s is best for s, _, _ in denials):
        raise Failed("negation", f"“{word.form}” denies what is not denied")
    raise Failed("negation", f"“{word.form}” denies something else")


_STAYED = re.compile(
    r"\b(?:stay\w*|remain\w*|stable|constant|alike|the same|similar\w*)\b", re.IGNORECASE
)
_PREFIXES = ("non", "un", "in", "im", "ir", "dis")


def _denied_otherwise(
    sentence: Claim, near: set[str], own: Set[str] = frozenset(), *, weakly: bool = True
) -> bool:
    """Whether a word that comes to a denial stands beside one of these."""
    said = [w for w in sentence.words if w.content and w.stem not in GENERIC]
    if any(
        n[:5] == w.form.removeprefix(p)[:5]
        for n in near
        for w in said
        for p in _PREFIXES
        if w.form.startswith(p) and len(n) > 3
    ):
        return True  # "non-blanching" for "did not blanch"
    if near & {"changed", "differ"} and _STAYED.search(sentence.text):
        return True
    for m in _DENIES.finditer(sentence.text):
        if m[0].lower() == "against":
            continue  # looked at among what is advised
        if stem(m[0].lower()) in own or (not weakly and _WEAKLY.fullmatch(m[0])):
            continue  # the claim has it too, and denies besides
        if _P_VALUE.match(m[0]):
            clause = next((w.clause for w in reversed(said) if w.start <= m.start()), 0)
            if near & {w.name for w in said if w.clause == clause}:
                return True
            continue
        near_by = 3 if _WEAKLY.fullmatch(m[0]) else 5
        ahead = [w.name for w in said if w.start < m.end()][1 - near_by :]
        behind = [w.name for w in said if w.start >= m.start()][:near_by]
        if near & {*ahead, *behind}:
            return True
    return False


_OF_WHAT_FOLLOWS = frozenset(
    "fail fails failed failing lack lacks lacked lacking unable without devoid free instead".split()
)


def _nearest(word: Word, reached: Sequence[Word], most: int = 3) -> set[str]:
    """What stands nearest to a word that denies: a word before it, and some behind."""
    said = [
        w
        for w in reached
        if w.form not in ("been", "being")
        and (w.stem not in GENERIC or w.name in ("increase", "reduce", "differ"))
    ]
    after = next((w for w in reached if w.start > word.start), None)
    seen = after is None or after.stem in GENERIC or after.name == "occur"
    before = [w for w in said if w.start < word.start][-3 if seen else -1 :]
    if after is not None and word.form in _OF_WHAT_FOLLOWS:
        before = []
    return {w.name for w in [*before, *[w for w in said if w.start > word.start][:most]]}


_DIFFERENCE = {
    stem(w)
    for w in "differ difference different significant significantly improve reduce increase more worse "
    "statistically statistical better superior longer shorter matter change effect changed exceed outperform".split()
}
_TIED = {SAME.get(w, w) for w in map(stem, "associated linked related affected".split())}
_NEARLY = re.compile(
    r"\b(?:almost|nearly|virtually|practically|largely) unchanged\b", re.IGNORECASE
)
_ALIKE = re.compile(r"\b(?:equal(?:ly)?|alike|similar(?:ly)?|same|non-?inferior)\b", re.IGNORECASE)


_NO_CHANGE = re.compile(
    r"\b(?:did|does|do|could|was|were) not (?:\w+ly )?(?:change|alter|affect|influence|reduce|lower|increase|raise|"
    r"improve|worsen|shorten|prolong|prevent)\w*\b|\bno (?:change|effect|influence|improvement|reduction|increase) (?:in|on|of)\b",
    re.IGNORECASE,
)


_IN_OTHER_WORDS = (
    r"unclear|uncertain|unknown|insufficient|inadequate|inconclusive|too (?:little|few)|rather than|"
    r"ineffective|unable|impossible|unlikely|against|discouraged?|contraindicated|"
    r"un(?:approved|changed|affected|proven|related)|predates?|outside|equal(?:ly)?|alike|"
    r"similar(?:ly)?|resist\w*|refractory|unresponsive"
)
_P_VALUE = re.compile(r"p\s?[=>]", re.IGNORECASE)
_WEAKLY = re.compile(r"resist\w*|refractory|loss|only|lower|same|outside", re.IGNORECASE)
_DENIES = re.compile(
    rf"\b(?:{_IN_OTHER_WORDS}|loss|exceptions?|only|uninvolved|in(?:complete|consistent)|"
    r"p\s?[=>]\s?0?\.[1-9]\d*|0(?:\.0)? ?%|lower|freedom|excluded?s?|resolved|excepted|all but|must not|avoid(?:ed)?|withh[eo]ld)\b",
    re.IGNORECASE,
)
"""What denies, or comes to the same, in other words than "no" and "not"."""


_OTHERWISE = re.compile(
    rf"\b(?:{_IN_OTHER_WORDS}|as (?:often|commonly|common|frequent|frequently|many|much|likely)\b[^;.]{{0,40}}? as|limited to|uncommon|same)\b",
    re.IGNORECASE,
)
