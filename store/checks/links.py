"""Links, web addresses, e-mail addresses and Telegram names in a text."""

import re

# Begins with the colon: that is quick to find.
_SCHEME = re.compile(
    r":(?:(?<=\w:)//\S|(?<=mailto:)\S|(?<=javascript:)\S|(?<=vbscript:)\S|(?<=\bdata:)\w+/"
    r"|(?<=\btel:)\+?\d|(?<=\bfile:)/|(?<=\btg:)/)",
    re.IGNORECASE,
)
_SCHEME_NAME = re.compile(r"[\w+.-]{1,20}$")
# Real ones that articles meet. Those that are also words, or initials, count with a path only:
# `t.me/x`, but not "and so to.me".
_DOMAIN = re.compile(
    r"\.(?:(?:com|org|net|edu|gov|info|biz|xyz|site|online|shop|store|club|link|click|app|dev"
    r"|int|mil|health|ru|cn|de|fr|uk|jp|eu|br|nl|ch)(?![\w-]|\.\w)|(?:COM|ORG|NET|EDU|GOV|INFO)"
    r"(?![\w-])|(?:me|co|us|ai|io|tv|cc|to|ly|gg|gl|be|gd|tk|ml|ga|is|sh|in|it)/[^\s/])"
)
_LABELS = re.compile(r"(?:[\w-]{1,63}\.){0,8}[\w-]{1,63}$")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+|(?<![\w@])@[A-Za-z]\w{4,31}")
_KNOWN_NAMES = frozenset({"clinicaltrials.gov", "nature.com"})
"""A register and a publisher whose names in prose look like addresses."""


def link_in(text: str) -> str:
    """The first link, web address, e-mail address or Telegram name in a text; empty without."""
    if ":" in text:
        found = _SCHEME.search(text)
        if found:
            name = _SCHEME_NAME.search(text, max(0, found.start() - 20), found.start())
            return text[name.start() if name else found.start() :][:60].split()[0]
    if "@" in text:
        found = _ADDRESS.search(text)
        if found:
            return found.group()
    if "." in text:
        lowered = text.lower()
        for start in ("www.", "xn--"):
            at = lowered.find(start)
            if at >= 0 and (at == 0 or not text[at - 1].isalnum()) and text[at + 4 :][:1].isalnum():
                return text[at : at + 60].split()[0]
        for m in _DOMAIN.finditer(text):
            labels = _LABELS.search(text, max(0, m.start() - 200), m.start())
            if labels is None or not re.search(r"[^\W\d_]", labels.group()):
                continue
            address = labels.group() + m.group()
            if address.lower() not in _KNOWN_NAMES or text[m.end() : m.end() + 1] == "/":
                return address
    return ""
