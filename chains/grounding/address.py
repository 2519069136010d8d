"""To whom a sentence speaks: "Pharmacists should know that ...", "For trainees: ...".

That is no part of what it claims, and is taken off before the claim is looked at.
"""

import re
from collections.abc import Sequence

_WHO = (
    r"(?:nurses|pharmacists|physicians|doctors|clinicians|prescribers|trainees|students|residents|"
    r"researchers|surgeons|dermatologists|paediatricians|pediatricians|anaesthetists|midwives|"
    r"readers|colleagues|practitioners|teams|general practitioners|health professionals)"
)
_THEM = rf"(?:\w+ )?{_WHO}(?:(?:,| and| or) (?:\w+ )?{_WHO})*"
_KNOW = (
    r"(?:know|note|be aware|remember|bear in mind|keep in mind|appreciate|recall|understand|"
    r"recognise|recognize|realise|realize)"
)
_ADDRESS = re.compile(
    rf"(?:(?:note )?(?:to|for) (?:the )?{_THEM}(?: to (?:pass on|know|note|remember))?\s?:\s"
    rf"|{_THEM}\s?:\s"
    rf"|(?:for (?:the )?{_THEM}, )?(?:the point |what matters )?(?:to {_KNOW}|worth (?:knowing|noting)) is that "
    rf"|for (?:the )?{_THEM}, (?=[a-z]*)"
    rf"|{_THEM}(?: [a-z]+ing (?:[a-z]+ ){{1,8}}?)? ?(?:should|may|might|will|can|need to|ought to|must)(?: also| therefore)? "
    rf"(?:want to |wish to |like to |need to )?{_KNOW} (?:of the fact )?that "
    rf"|(?:please )?{_KNOW} that "
    r"|it (?:is|may be) (?:worth|useful|important) (?:noting|knowing|remembering|to (?:note|know|remember)) that "
    r"|of note, |in (?:short|summary|brief|sum|other words|a word), |to (?:sum up|summarise|summarize), "
    r"|(?:briefly|importantly|notably|overall)[:,] )",
    re.IGNORECASE,
)


def unaddressed(text: str, statements: Sequence[str]) -> str:
    """The text without an opening that only says whom it is for, unless a statement speaks of them."""
    found = _ADDRESS.match(text)
    if found is None:
        return text
    who = re.search(_WHO, found[0], re.IGNORECASE)
    if who and any(who[0].lower() in s.lower() for s in statements):
        return text
    rest = text[found.end() :]
    return rest[:1].upper() + rest[1:]
