"""What two sentences can say opposite things about, and which side a sentence takes."""

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that two sentences can say opposite things about."""

    name: str
    hints: frozenset[str]
    """A sentence without one of these words says nothing about it, and is not looked at closer."""
    yes: re.Pattern[str]
    no: re.Pattern[str]
    first: Literal["yes", "no"] = "no"
    """Which is looked for first, when the words of one are part of the other."""

    def side(self, text: str) -> str:
        """What a sentence in lower case says: "yes", "no", or nothing."""
        order = (("no", self.no), ("yes", self.yes))
        for side, pattern in order if self.first == "no" else reversed(order):
            if pattern.search(text):
                return side
        return ""


_DONE = (
    r"(?:combined|used|given|added|applied|performed|offered|started|continued|treated|delivered"
    r"|injected|repeated|followed|administered|undertaken|carried out)"
)
_HARM = (
    r"(?:blister\w*|scarring|scars|(?:hyper|hypo)pigmentation|burns?|ulcerations?|bleeding"
    r"|ha?emorrhages?|necrosis|deaths?|malformations?|toxicity|fractures?|seizures?"
    r"|adverse (?:events?|effects?|reactions?)|side[ -]effects?|complications?|harms?)"
)
_WORSE = r"(?:mortality|deaths?|risks?|recurrences?|relapses?|pain|symptoms|severity|duration)"
CHANGE = Matter(
    "which way it changes",
    frozenset(
        "increase increases increased raise raises raised worsen worsens worsened reduce "
        "reduces reduced lower lowers lowered decrease decreases decreased shorten shortens "
        "shortened prevent prevents prevented lengthen lengthens lengthened doubles doubled "
        "halves halved".split()
    ),
    re.compile(r"\b(?:increase[sd]?|raise[sd]?|worsen(?:s|ed)?|lengthen(?:s|ed)?|double[sd])\b"),
    re.compile(
        r"\b(?:reduce[sd]?|lower(?:s|ed)|decrease[sd]?|shorten(?:s|ed)?|prevent(?:s|ed)?"
        r"|halve[sd])\b"
    ),
)
MATTERS = (
    Matter(
        "whether it is advised",
        frozenset(
            "recommend recommends recommended should can may advise advises advised against "
            "contraindicated avoid avoided indicated not must".split()
        ),
        re.compile(
            rf"\b(?:recommends?|recommended|should|advis(?:es?|ed)|is indicated|are indicated"
            rf"|(?:can|may|must) (?:\w+ )?be (?:\w+ )?{_DONE})\b"
        ),
        re.compile(
            r"\b(?:not (?!followed by)(?:\w+ )?(?:be )?(?!followed by)"
            rf"(?:recommend\w*|advis\w+|indicated|{_DONE})"
            r"|(?:recommend\w*|advis\w+) (?:\w+ )?against|should (?:not|never)|must not|cannot be"
            r"|evidence to recommend|contraindicated|(?:be|is|are) avoided|to avoid|avoid)\b"
        ),
    ),
    Matter(
        "whether it works",
        frozenset(
            "effective ineffective efficacious improve improves improved improvement benefit "
            "benefits beneficial superior no not without fails failed nor neither lowered lowers "
            "reduced reduces decreased decreases".split()
        ),
        re.compile(
            r"\b(?:effective|efficacious|beneficial|superior|improves?|improved|improvement"
            r"|benefits?|benefited"
            rf"|(?:lower(?:s|ed)|reduce[sd]|decrease[sd]) (?:\w+ ){{0,3}}{_WORSE})\b"
        ),
        re.compile(
            r"\b(?:ineffective|not (?:\w+ )?(?:effective|improve|beneficial|superior|benefit)"
            r"|(?:no|without) (?:\w+ ){0,2}(?:difference|benefit|effect|improvement|advantage|gain)"
            r"|(?:did|does|do) not (?:\w+ )?(?:improve|differ|help|work|benefit)"
            r"|fail(?:s|ed) to (?:improve|help|work)|no (?:\w+ )?better)\b"
        ),
    ),
    Matter(
        "whether it is safe",
        frozenset(
            "safe unsafe tolerated harmless harmful harm harmed harms adverse complications side "
            "dangerous necrosis safely blistering blisters scarring scars hyperpigmentation "
            "hypopigmentation burns ulceration ulcerations bleeding haemorrhage hemorrhage death "
            "deaths malformation malformations toxicity fractures seizures".split()
        ),
        re.compile(
            r"\b(?:(?<!not )(?<!not be )safe|safely|well[ -]tolerated|harmless"
            r"|(?:no|without) (?:\w+ ){0,3}(?:adverse|side[ -]effects?|complications?|harms?)"
            r"|(?:not|never) (?:\w+ )?(?:associated with|followed by|lead to|cause) "
            rf"(?:\w+ ){{0,2}}{_HARM}"
            rf"|no (?:\w+ )?(?:cases? of|signs? of|increase in) (?:\w+ ){{0,2}}{_HARM})\b"
        ),
        re.compile(
            r"\b(?:unsafe|not (?:\w+ ){0,2}safe|harmful|harmed|dangerous|necrosis"
            r"|serious (?:\w+ ){0,2}adverse|(?:adverse \w+|complications?|side[ -]effects?) "
            r"(?:\w+ )?(?:occurred|followed|appeared|were common|were frequent|were seen"
            r"|were reported)"
            rf"|{_HARM} (?:and \w+ )?(?:\w+ )?(?:occurred|developed|followed|was seen|were seen"
            r"|was common|were common|in \d+))\b"
        ),
        "yes",
    ),
    CHANGE,
    Matter(
        "whether it has been studied",
        frozenset(
            "should can may established recommended recommends performed proven shown no not "
            "never lack lacks lacking insufficient little unknown untested unproven unstudied "
            "effective safe nobody none improve improves improved".split()
        ),
        re.compile(
            rf"\b(?:(?:can|may|should|must|would|is|are) (?:\w+ ){{0,2}}be (?:\w+ )?{_DONE}"
            rf"|(?:is|are) (?:usually|typically|generally|best|routinely) {_DONE}"
            r"|(?:well )?established|(?:is|are|was|were|be) (?:\w+ )?(?:effective|safe)"
            r"|proven|recommend(?:s|ed)|improves?|improved|should)\b"
        ),
        re.compile(
            r"\b(?:(?:do|does|did) not (?:\w+ )?address"
            r"|(?:no|nor any) (?:\w+ ){0,3}(?:study|studies|trials?|evidence|data|research)"
            r"(?! (?:of (?!benefit|efficacy|effect|safety)|was lost|were lost))(?=\b)"
            r"|no (?:study|studies|trials?) of"
            r"|(?:has|have|had|was|were) (?:not|never) (?:been )?(?:\w+ )?(?:studied|investigated"
            r"|tested|evaluated|examined|trialled|established)"
            r"|lack(?:s|ing)? (?:of )?(?:\w+ ){0,2}(?:evidence|data|trials|studies)"
            r"|(?:insufficient|too little|not enough) (?:\w+ )?(?:evidence|data)"
            r"|evidence (?:is|was) (?:\w+ )?(?:insufficient|lacking|absent)"
            r"|remains? (?:\w+ )?(?:unknown|unproven|untested|unstudied)"
            r"|nobody has|none of the (?:\w+ )?(?:studies|trials))\b"
        ),
    ),
)
GAINSAYS = (
    # (what the one part says, what the other says), either way round.
    *(((m.name, "yes"), (m.name, "no")) for m in MATTERS),
    (("whether it is advised", "yes"), ("whether it works", "no")),
    (("whether it is advised", "yes"), ("whether it is safe", "no")),
    (("whether it is advised", "no"), ("whether it works", "yes")),
    (("whether it is advised", "no"), ("whether it is safe", "yes")),
)
ABOUT_GUIDELINES = re.compile(r"\bno (?:\w+ ){0,3}(?:guidelines?|recommendations?|guidance)\b")
"""That no guideline speaks of it does not gainsay a trial."""
