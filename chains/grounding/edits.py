"""What was changed in a sentence that is otherwise a copy.

A model that copies a statement and changes a word has changed what it says, whatever the other rules
make of it: so in a near copy every small change is looked at.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from chains.grounding.claims import Claim, Word, is_harmless
from chains.grounding.quantities import UNITS
from chains.grounding.thesaurus import covers, opposites
from chains.grounding.words import DOUBT, FREQUENCY_HEDGES, GENERIC, NEGATORS, OPPOSITE

_COPIED = 0.72
"""Share of the words of a sentence from which it is a near copy."""
_FEWEST = 6
_SIDES = {"over": "under", "above": "below", "up": "down", "older": "younger", "least": "most"}
_SIDES |= {b: a for a, b in _SIDES.items()}
_RUN = 5
"""A longer run of words that is left out leaves out a matter of its own."""
_WEAK = DOUBT | FREQUENCY_HEDGES | {"can", "conditionally", "conditional", "weak"}


def changed(claim: Claim, statement: Sequence[Claim]) -> tuple[str, str] | None:
    """A reason and what was changed, when the claim is a copy of a sentence of the statement in
    which a small change is no harmless one."""
    ours = [w.form for w in claim.words]
    for sentence in statement:
        theirs = [w.form for w in sentence.words]
        matcher = SequenceMatcher(None, theirs, ours, autojunk=False)
        if min(len(theirs), len(ours)) < _FEWEST or matcher.quick_ratio() < 0.5:
            continue
        copied = sum(block.size for block in matcher.get_matching_blocks())
        if copied < max(_FEWEST, _COPIED * len(ours)):
            continue
        for kind, i1, i2, j1, j2 in matcher.get_opcodes():
            if kind == "equal" or (i2 - i1 > _RUN and j1 == j2):
                continue
            gone, come = sentence.words[i1:i2], claim.words[j1:j2]
            if found := _harm(sentence, gone, claim, come):
                return found
        return None
    return None


def _harm(
    sentence: Claim, gone: Sequence[Word], claim: Claim, come: Sequence[Word]
) -> tuple[str, str] | None:
    lost = [w for w in gone if w.form in NEGATORS and not is_harmless(sentence.text, w)]
    new = [w for w in come if w.form in NEGATORS and not is_harmless(claim.text, w)]
    left_out = not come and len(gone) > 2
    if len(lost) % 2 != len(new) % 2 and max(len(gone), len(come)) <= _RUN and not left_out:
        return "negation", f"“{(lost or new)[0].form}”"
    for a in gone:
        for b in come:
            if _are_opposite(a, b) or _SIDES.get(a.form) == b.form:
                return "direction", f"“{b.form}” for “{a.form}”"
    weak = [w.form for w in gone if w.form in _WEAK]
    if weak and not any(w.form in _WEAK or w.form in ("not", "cannot") for w in come):
        return "certainty", f"the statement says “{weak[0]}”"
    old = [w for w in gone if _is_named(w)]
    put = [w for w in come if _is_named(w)]
    if len(old) == len(put) == 1 and not _are_alike(old[0], put[0]):
        return "entity", f"“{put[0].form}” for “{old[0].form}”"
    return None


def _is_named(word: Word) -> bool:
    """Whether the word could be the name of something: no verb form, no unit."""
    form = word.form
    unit = form in UNITS
    return (
        word.content and form.isalpha() and len(form) > 3 and not form.endswith("ed") and not unit
    )


def _are_opposite(a: Word, b: Word) -> bool:
    if a.stem == b.stem:
        return False
    return b.stem in opposites(a.stem) or any(
        (a.stem in one and b.stem in other) or (a.stem in other and b.stem in one)
        for one, other in OPPOSITE
    )


def _are_alike(a: Word, b: Word) -> bool:
    return (
        a.name == b.name
        or a.stem in covers(b.stem)
        or b.stem in covers(a.stem)
        or a.stem[:5] == b.stem[:5]
        or b.stem in GENERIC
        or a.stem in GENERIC
    )
