"""The program's own words in the reader's language.

Texts stand in the code in English, inside `tr` or `trn`, and are looked up in the catalogue of the
language that is spoken: GNU gettext files in `bot/locale`, which the tools of translators read.
Which language that is stands in a context variable. The door sets it, once for each update or
command, and it goes along into threads and tasks. So nothing may be translated when a module is
imported: a table of texts has them in `marked`, and `tr` where they are used.

What is quoted from articles is never translated. What is for operators and admins is English.
"""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

ENGLISH = "en"
"""The language of the texts in the code, and of the articles."""
LANGUAGES: dict[str, str] = {ENGLISH: "English", "de": "Deutsch"}
"""The languages there are, by code, each named in itself."""
LOCALE = Path(__file__).parent / "locale"
DOMAIN = "corollary"

_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)


def tr(text: str, /, **values: Any) -> str:
    """The text in the language that is spoken, `{name}` in it filled in with `values`."""
    found = catalogue(_spoken.get()).gettext(text)
    return found.format(**values) if values else found


def trn(one: str, many: str, n: int, /, **values: Any) -> str:
    """The text for `n` of something; `{n}` in it is the number."""
    found = catalogue(_spoken.get()).ngettext(one, many, n)
    return found.format(n=n, **values)


def marked(text: str) -> str:
    """The text as it is. Marks one that is translated elsewhere, by `tr(NAME)`."""
    return text


def inside(term: str) -> str:
    """A term of a list, translated, as it stands inside of a sentence. English drops its capital;
    German, whose nouns keep theirs, has it as it is."""
    return term.lower() if language() == ENGLISH else term


def language() -> str:
    """The code of the language that is spoken."""
    return _spoken.get()


def speak(code: str) -> None:
    """Speaks that language from here on: in this task, and in tasks and threads it starts."""
    if code not in LANGUAGES:
        raise ValueError(f"There is no catalogue for the language {code!r}.")
    _spoken.set(code)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speaks that language for a while."""
    if code not in LANGUAGES:
        raise ValueError(f"There is no catalogue for the language {code!r}.")
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)


def matching(*wanted: str | None) -> str | None:
    """The first of these that there is: a code, or a longer tag like `de-AT` or `de_CH.UTF-8`."""
    for tag in wanted:
        code = (tag or "").replace("_", "-").partition("-")[0].strip().lower()
        if code in LANGUAGES:
            return code
    return None


@cache
def catalogue(code: str) -> gettext.NullTranslations:
    """The texts in that language. English needs no file: the texts in the code are it."""
    if code == ENGLISH:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALE, [code])
