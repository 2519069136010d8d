"""Two things a question can be besides a question: an emergency, or an order for one patient.

Both are recognised by who and when, not by disease words: "suicidal ideation with isotretinoin?"
is a question about evidence, "my patient is not breathing" is not. Emergencies are recognised in
German too, though questions are not: the program speaks it, and in need one writes as one thinks.
"""

import re

_WHO = r"(?:(?:my|this|the|our|a)\s+(?:\w+[ -]){0,3}?(?:patient|pt|client|baby|infant|child|kid|"
_WHO += r"mother|father|wife|husband|son|daughter|man|woman|boy|girl|lady|gentleman)|he|she|they)"
_SIGNS = (
    r"(?:not breathing|stopped breathing|unconscious|unresponsive|collapsed|collapsing|"
    r"in (?:cardiac )?arrest|pulseless|choking|seizing|fitting|anaphylactic|in anaphylaxis|"
    r"turning blue|bleeding out|bleeding heavily|haemorrhaging|hemorrhaging)"
)
_EMERGENCY = re.compile(
    rf"\b{_WHO}(?:'s| is| has| are|'re)?(?: just| now| currently| suddenly)* {_SIGNS}\b"
    rf"|\b{_SIGNS}\b[^.?!]*\b(?:right now|help|what (?:do|should) i do)\b"
    r"|\b(?:going into|having|in) (?:anaphylaxis|anaphylactic shock|cardiac arrest|a seizure)\b"
    r"[^.?!]*\b(?:now|help|what do i do|what should i do)\b",
    re.IGNORECASE,
)
_SELF_HARM = re.compile(
    r"\bi(?:'m| am| want| feel| think| have)?\b[^.?!]{0,40}\b(?:kill(?:ing)? myself|"
    r"end(?:ing)? my (?:own )?life|hurt(?:ing)? myself|harm(?:ing)? myself|"
    r"(?:be|am|feel) suicidal)\b"
    r"|\bi (?:want|wish) (?:to die|i were dead)\b",
    re.IGNORECASE,
)
_WHO_DE = (
    r"(?:(?:(?:mein|unser|dies|ein)(?:e|er|es)?|der|die|das)\s+(?:\w+\s+){0,2}?"
    r"(?:patient(?:in)?|baby|säugling|(?:klein)?kind|mutter|vater|frau|mann|sohn|tochter|junge|mädchen)|er|sie|es)"
)
_EMERGENCY_DE = re.compile(
    rf"\b{_WHO_DE}(?: \w+)? (?:atmet(?: \w+)? nicht|reagiert(?: \w+)? nicht mehr|krampft|erstickt|"
    r"läuft blau an|blutet(?: \w+)? (?:stark|heftig)|kollabiert|"
    r"(?:ist|liegt|wird)(?: \w+){0,5} "
    r"(?:bewusstlos|nicht ansprechbar|kollabiert|zusammengebrochen|pulslos)|"
    r"hat(?: \w+){0,2} (?:aufgehört zu atmen|keinen puls|(?:herz|kreislauf|atem)\w*stillstand|"
    r"anaphyla\w+ (?:schock|reaktion)|eine anaphylaxie))\b"
    r"|\b(?:hilfe|notfall)\b[^.?]*\b(?:bewusstlos|atmet|anaphylaxie|anaphylakt\w+|krampft)\b",
    re.IGNORECASE,
)
_SELF_HARM_DE = re.compile(
    r"\bich\b[^.?!]{0,40}\b(?:umbringen|das leben nehmen|"
    r"(?:mich|mir) (?:selbst )?(?:töten|verletzen|etwas antun)|nicht mehr leben|"
    r"suizidal|selbstmord)\b"
    r"|\bich (?:will|möchte|wollte)(?: nur| einfach)?(?: noch)? (?:sterben|tot sein)\b",
    re.IGNORECASE,
)
_ORDER_VERB = (
    r"(?:give|start|stop|prescribe|put|switch|treat|inject|dose|discharge|admit|withhold|"
    r"increase|decrease|taper)"
)
_ONE_PATIENT = (
    r"(?:him|her|(?:my|this|our) (?:\w+[ -]){0,4}?(?:patient|pt|baby|infant|child|lady|man|woman|"
    r"boy|girl|gentleman|mother|father|wife|husband|son|daughter)|"
    r"(?:this|my) \d{1,3}[- ]?(?:year|month|week|yo|y/o)\S*)"
)
_ORDER = re.compile(
    rf"\b(?:should|shall|can|may|do|must) (?:i|we) {_ORDER_VERB} (?:\w+ ){{0,4}}?{_ONE_PATIENT}\b"
    rf"|\b(?:should|shall|can|may|do|must) (?:i|we) {_ORDER_VERB}\b[^.?!]*"
    rf"\b(?:to|for|in) {_ONE_PATIENT}\b"
    rf"|\b(?:prescribe|write (?:me )?(?:a |the )?(?:prescription|script|order)|"
    rf"decide|choose the (?:dose|drug|treatment))\b[^.?!]*\b(?:for|to) {_ONE_PATIENT}\b"
    r"|^(?:please )?(?:prescribe|write (?:me )?(?:a |the )?(?:prescription|script|order))\b",
    re.IGNORECASE,
)


def urgency(question: str) -> str | None:
    """ "self_harm", "emergency", or None."""
    if _SELF_HARM.search(question) or _SELF_HARM_DE.search(question):
        return "self_harm"
    urgent = _EMERGENCY.search(question) or _EMERGENCY_DE.search(question)
    return "emergency" if urgent else None


def orders_for_one_patient(question: str) -> bool:
    """Whether the question asks to decide or prescribe for a particular patient."""
    return bool(_ORDER.search(question))
