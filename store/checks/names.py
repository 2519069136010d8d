"""The names by which questions find an article, within it and between articles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from store.article import Article
from store.checks.problem import Lines, Problem, cut, some


@dataclass(frozen=True, slots=True)
class Name:
    """A topic or alias by which questions find an article, with the place it came from."""

    text: str
    line: int
    field: str

    @property
    def same(self) -> str:
        """Equal for names that differ in case or spaces only."""
        return " ".join(self.text.casefold().split())


def names_of(article: Article, lines: Lines) -> tuple[Name, ...]:
    """The names by which questions find the article."""
    topic = lines.get(("topic",), lines.get(("title",), 1))
    found = [Name(article.topic, topic, "topic" if ("topic",) in lines else "title")]
    for i, alias in enumerate(article.aliases):
        path = ("aliases", i) if ("aliases", i) in lines else ("aliases",)
        found.append(Name(alias, lines.get(path, 1), ".".join(map(str, path))))
    return tuple(found)


def repeated_aliases(article: Article, lines: Lines) -> Iterator[Problem]:
    """Names that an article has twice."""
    seen: dict[str, Name] = {}
    for name in names_of(article, lines):
        first = seen.setdefault(name.same, name)
        if first is not name:
            yield Problem(
                "warning",
                "duplicate_alias",
                f"{cut(name.text)} is given already (line {first.line}); leave one out",
                name.line,
                name.field,
            )


def shared_names(articles: Sequence[tuple[str, Sequence[Name]]]) -> dict[int, list[Problem]]:
    """A warning for each name that two of these articles, (label, names), have, by position.

    Not an error: either article is sound without the other, and refusing both for a name would
    take two answers away where a question only becomes ambiguous.
    """
    owners: dict[str, list[int]] = {}
    for at, (_, given) in enumerate(articles):
        for same in {n.same for n in given}:
            owners.setdefault(same, []).append(at)
    found: dict[int, list[Problem]] = {}
    for at, (label, given) in enumerate(articles):
        for name in {n.same: n for n in reversed(given)}.values():
            # Two of one label are refused for that already.
            others = [s for s in (articles[o][0] for o in owners[name.same]) if s != label]
            if others:
                said = (
                    f"{cut(name.text)} is also a name of {some(others)}, so a question by that "
                    "name fits both; keep it in one"
                )
                found.setdefault(at, []).append(
                    Problem("warning", "duplicate_alias", said, name.line, name.field)
                )
    return found
