"""What a text reads as to somebody who does not mind how it is written.

Used to find what is hidden from a plain search: spelt with look-alikes, accents, digits in the
place of letters, or characters that nobody sees.
"""

import unicodedata

from store.checks.characters import BLANK, is_hidden

# What a letter is taken for when somebody wants a model to read a word that a filter does not.
_TAKEN_FOR = str.maketrans(
    "l013457@$_–—−“”‘’"
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγεηικνορτυχωσςϲ"
    "авсеёԁһнгіїјкӏмоорԛѕтуѵԝхпАВСЕНІЈКМОРЅТУХ"
    "օոսհզցլքաΑ"
    "ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᏔᏃ"
    "ıɡɑʟᴀʙᴄᴅᴇꜰɢʜɪᴊᴋᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "ioieastas ---\"\"''"
    "abezhikmnoptyxabyenikvoptuxwsss"
    "abceedhhriijkimoopqstyvwxnabcehijkmopstyx"
    "onuhqgipaa"
    "abcdeghijkimprstvwz"
    "igaiabcdefghijkmnoprstuvwyz",
)
_FILLER = dict.fromkeys(map(ord, BLANK))


class _Plainer(dict[int, str]):
    """`str.translate` with it gives what a text reads as: plain lower-case Latin where it can.

    Hidden characters and accents go; look-alikes and digits in the place of letters become the
    letter; `l` becomes `i`, for `1` and `|` may be either.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char.isspace():
            plain = "\n" if char == "\n" else " "
        elif 0x1F1E6 <= code <= 0x1F1FF:
            plain = chr(code - 0x1F1E6 + ord("a")).translate(_TAKEN_FOR)
        elif is_hidden(char) or unicodedata.category(char).startswith("M"):
            plain = ""
        else:
            flat = unicodedata.normalize("NFKD", char.translate(_TAKEN_FOR)).casefold()
            plain = "".join(c for c in flat if not unicodedata.combining(c))
            plain = plain.translate(_FILLER).translate(_TAKEN_FOR)
        if len(self) < 20_000:
            self[code] = plain
        return plain


_TABLE = _Plainer()
# The same for ASCII as a table of bytes, which is many times quicker.
_DROPPED = bytes(n for n in range(128) if not chr(n).translate(_TABLE))
_ASCII = "".join(chr(n).translate(_TABLE) or " " for n in range(128)).replace("\n", " ")
_BYTES = _ASCII.encode() + bytes(range(128, 256))
_MARKS = bytes(n if n < 128 and chr(n).isalnum() else ord(" ") for n in range(256))


def plainer(text: str) -> str:
    """The text as it reads, on one line."""
    if text.isascii():
        return text.encode().translate(_BYTES, _DROPPED).decode()
    return text.translate(_TABLE).replace("\n", " ")


def ascii_words(text: str) -> list[str]:
    """The words in order, divided at whatever is no letter or digit of ASCII."""
    return text.encode("ascii", "replace").translate(_MARKS).decode().split()


def as_written(text: str, said: str) -> str:
    """The part of a text that reads as `said`; the text when that is not found again."""
    reads, origin = [], []
    for i, char in enumerate(text):
        for c in char.translate(_TABLE):
            reads.append(" " if c == "\n" else c)
            origin.append(i)
    start = "".join(reads).find(said.strip())
    if start < 0:
        return text
    return text[origin[start] : origin[start + len(said.strip()) - 1] + 1]
