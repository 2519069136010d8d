"""Which words of a sentence the statements do not have, in any form."""

import re
from collections.abc import Callable, Sequence

from chains.grounding.claims import Claim, Word
from chains.grounding.failed import Failed
from chains.grounding.thesaurus import covers, is_known, names_a_thing, opposites
from chains.grounding.words import CLAIMS, DOUBT, LIKE_CLAIMS, ROUTES
from store.lexical import FUNCTION_WORDS, stem

_RARE = 0.999
"""Rarity from which a word is no ordinary English: a name of a drug, a disease, a place."""


_HEDGED = DOUBT | {"apparently", "seemingly", "reportedly", "roughly"}


_NO_NAMES = frozenset({"fortnight", "inject", "dose", "lesion", "treat", "patients", "apply"})


_NO_NOUN = ("ing", "ful", "less", "able", "ible", "ly", "ed")
_VERB_NEXT = re.compile(
    r"\b(?:should|must|may|might|can|could|will|would|not|never|to|please) $", re.I
)
"""Before a verb, whatever else the word could name."""


_SPECIAL = 0.86
"""Rarity from which the name of a thing is one that matters."""


def taken_from(claim: Claim, statement: Sequence[Claim]) -> list[Claim]:
    """The sentences of the statement that the claim takes up."""
    own = {w.name for w in claim.telling}
    shared = [len(own & c.names) for c in statement]
    most = max(shared, default=0)
    return [c for c, n in zip(statement, shared, strict=True) if n and n >= 0.6 * most] or list(
        statement
    )


def shares_with(claim: Claim, statement: Sequence[Claim]) -> bool:
    own = {w.name for w in claim.telling}
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
    if any(len(f) >= 8 and pattern.match(f) for f in forms):
        return True
    # "HPV" for human papillomavirus: the first letters of one word, then through a long one.
    rest = re.compile(".*".join(word[1:].lower()))
    return (
        len(word) > 2
        and any(f[0] == word[0].lower() for f in forms)
        and any(len(f) >= 10 and rest.match(f) for f in forms)
    )


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


def has_like(word: str, forms: set[str]) -> bool:
    return word in forms or any(word in group and group & forms for group in LIKE_CLAIMS)


_PREFIXES = ("", "re", "un", "non", "over", "under", "pre", "post", "mis", "out", "with", "inter")
_ENDINGS = (
    "",
    "ier",
    "iest",
    "er",
    "est",
    "ed",
    "ing",
    "ly",
    "ness",
    "s",
    "es",
    "able",
    "ful",
    "less",
)
_IRREGULAR = {
    "held": "hold", "took": "take", "taken": "take", "gave": "give", "gone": "go", "made": "make",
    "drew": "draw", "drawn": "draw", "chosen": "choose", "written": "write", "kept": "keep",
    "halve": "half", "fallen": "fall", "risen": "rise", "grown": "grow", "begun": "begin",
}  # fmt: skip


def _has_known_base(form: str) -> bool:
    """Whether it is an ordinary word with a prefix or an ending: "denser", "rechecked"."""
    for prefix in _PREFIXES:
        for ending in _ENDINGS:
            if not (form.startswith(prefix) and form.endswith(ending)):
                continue
            base = form[len(prefix) : len(form) - len(ending)]
            if len(base) < (3 if ending in ("er", "est", "ing", "ed") else 4) or base == form:
                continue
            bases = {base, base + "e", base + "y", _IRREGULAR.get(base, base)}
            if base[-1] == base[-2]:
                bases.add(base[:-1])
            bases |= {_IRREGULAR.get(b, b) for b in bases}
            if any(is_known(stem(b)) and not names_a_thing(stem(b)) for b in bases):
                return True
    return False


def check_names(
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
        known = word.name in _NO_NAMES or is_known(word.stem) or _has_known_base(word.form)
        rare = not known and rarity is not None and rarity(word.form) >= _RARE
        thing = (
            names_a_thing(word.stem)
            and not word.form.endswith(_NO_NOUN)
            and not _VERB_NEXT.search(claim.text[: word.start])
            and word.name not in _NO_NAMES
            and (rarity is None or rarity(word.form) >= _SPECIAL)
        )
        if named or digits or (rare and len(word.form) > 4) or thing:
            raise Failed("entity", f"“{word.form}” is in no cited statement")


_ROOTS = """
glyc gluc: glucose sugar
cryo: freezing freeze cold frozen
cardi: heart
hepat: liver
nephr ren: kidney
derm cutane: skin
pigment: pigment pigmentation colour
haem hem: blood
oste: bone
neur: nerve nerves
pulm pneum: lung lungs
gastr: stomach
enter: bowel gut
my: muscle muscles
arthr: joint joints
ophthalm ocul: eye eyes
thromb: clot clots clotting
vas angi: vessel vessels
carcin onc: cancer
ur: urine urinary
rhin nas: nose
ot aur: ear ears
cyst vesic: bladder
phleb ven: vein veins
cephal: head
enceph cerebr: brain
dent: tooth teeth
immun: immunity defences
tox: poisoning poison
photo: light
radi: radiation rays
hydr: water
lip: fat fats
cyt: cell cells
histo: tissue
psych: mental mind
gyn: women
paed ped: child children
ger: elderly
bronch: airways airway
laryng: throat voice
gloss lingu: tongue
stomat: mouth
chol: bile gallbladder
trich: hair
onych: nail nails
mamm mast: breast
hyster metr: womb uterus
spermat: sperm
spondyl: spine
therm: heat temperature
myc: fungus fungal
bacter: germs
"""
_ROOTS_OF: dict[str, tuple[str, ...]] = {
    stem(word): tuple(roots.split())
    for roots, words in (line.split(":") for line in _ROOTS.strip().splitlines())
    for word in words.split()
}
"""By the stem of a plain word, what terms for it begin with."""


def _around(statement: Sequence[Claim], form: str) -> str:
    """A word of the statement as it is written, which its form is not if it has a hyphen."""
    return next(
        (
            c.text[w.start : w.start + len(form) + 1]
            for c in statement
            for w in c.words
            if w.form == form
        ),
        "",
    )


def new_words(claim: Claim, statement: Sequence[Claim]) -> list[Word]:
    """The words of the claim that the statement has in no form."""
    have = {w.name for c in statement for w in c.words}
    forms = {w.form for c in statement for w in c.words}
    stems = {w.stem for c in statement for w in c.words}
    short = _initials(statement)
    spelled = _spelled(claim, statement)
    measured = {w.start for w in claim.words for a in claim.amounts if a.start <= w.start < a.end}
    new: list[Word] = []
    for word in claim.telling:
        if word.name in have:
            continue
        if word.form in _HEDGED:
            continue  # it claims less
        if word.stem in ROUTES and {ROUTES[word.stem]} == set().union(
            *(c.routes for c in statement)
        ):
            continue
        if len(word.form) == 1 and any(f.startswith(word.form) and len(f) > 3 for f in forms):
            continue  # "S. aureus"
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
        if word.form in CLAIMS and has_like(word.form, forms):
            continue
        roots = _ROOTS_OF.get(word.stem)
        if roots and any(
            f.startswith(r) or f.removeprefix("hypo").removeprefix("hyper").startswith(r)
            for r in roots
            for f in forms
        ):
            continue
        if not covers(word.stem).isdisjoint(stems) and opposites(word.stem).isdisjoint(stems):
            continue
        if any(
            len(f) > len(word.form) > 3
            and f.endswith(word.form)
            and (is_known(word.stem) or "-" in _around(statement, f))
            and not _is_denied_form(word.form, {f})
            for f in forms
        ):
            continue
        new.append(word)
    return new
