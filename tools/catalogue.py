"""Brings the catalogues of `bot/locale` in step with the texts in the code (`make catalogue`).

Takes the texts out of the code into `corollary.pot`, merges them into each language's `.po` (what
is new there has an empty translation, what is gone is dropped), and compiles the `.mo` that the
program reads. With `--check` it changes nothing and says what is not in step.
"""

import io
import sys
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot.words import DOMAIN, ENGLISH, LANGUAGES, LOCALE

ROOT = Path(__file__).parents[1]
KEYWORDS = {"tr": None, "trn": (1, 2), "marked": None}
POT = LOCALE / f"{DOMAIN}.pot"


def po(code: str) -> Path:
    """The file that translators of a language edit."""
    return LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def mo(code: str) -> Path:
    """The file that the program reads."""
    return po(code).with_suffix(".mo")


def extracted() -> Catalog:
    """The texts of the code, each with the files it stands in."""
    found = Catalog(project="Corollary", fuzzy=False)
    for name, _, text, comments, context in extract_from_dir(
        ROOT / "bot", keywords=KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        found.add(text, None, [(f"bot/{name}", 0)], auto_comments=comments, context=context)
    return found


def read(path: Path, code: str | None = None) -> Catalog:
    """The catalogue in a .pot or .po file."""
    with path.open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def merged(code: str, template: Catalog) -> Catalog:
    """A language's translations of the texts there are now."""
    path = po(code)
    old = read(path, code) if path.exists() else Catalog(locale=code, fuzzy=False)
    old.update(template, no_fuzzy_matching=True)
    old.obsolete.clear()
    return old


class Dateless(Catalog):
    """A catalogue whose head says only what is needed to read it: no dates, no versions, which
    would make another file of the same texts."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The lines of the head."""
        fields = [("Project-Id-Version", "Corollary")]
        if self.locale is not None:
            fields += [("Language", str(self.locale)), ("Plural-Forms", self.plural_forms)]
        fields += [("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8")]
        return [*fields, ("Content-Transfer-Encoding", "8bit")]


def dateless(source: Catalog, code: str | None = None) -> Dateless:
    """The same texts under such a head."""
    head = " Made by `make catalogue`. Translate what stands in msgstr."
    found = Dateless(locale=code, header_comment=f"#{head}", fuzzy=False)
    for m in source:
        if m.id:
            found.add(
                m.id,
                m.string,
                m.locations,
                m.flags,
                m.auto_comments,
                m.user_comments,
                context=m.context,
            )
    return found


def written(source: Catalog, code: str | None = None) -> bytes:
    """The texts as translators read them; without line numbers, which change all the time."""
    body = io.BytesIO()
    write_po(body, dateless(source, code), sort_output=True, include_lineno=False, width=88)
    return body.getvalue()


def compiled(code: str) -> bytes:
    """What the program reads, made of what translators edit."""
    body = io.BytesIO()
    write_mo(body, dateless(read(po(code), code), code))
    return body.getvalue()


def main(check: bool) -> int:
    """Writes the files, or says which of them are not as they would be written."""
    template = extracted()
    stale = [_put(POT, written(template), check)]
    for code in LANGUAGES:
        if code != ENGLISH:
            stale.append(_put(po(code), written(merged(code, template), code), check))
            stale.append(_put(mo(code), compiled(code), check))
    for path in filter(None, stale):
        print(f"{path.relative_to(ROOT)} is {'not in step: run `make catalogue`' * check or 'new'}")
    return int(check and any(stale))


def _put(path: Path, content: bytes, check: bool) -> Path | None:
    """The path, when the file is not that already."""
    if path.exists() and path.read_bytes() == content:
        return None
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return path


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
