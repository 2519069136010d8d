"""Articles on conditions that do not exist, and builds of articles that are held in memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from articles import an_article

from store import index
from store.article import Article, passages
from store.embeddings import DIMENSIONS, IDENTITY, MiniLM
from store.lexical import Lexical
from store.tokens import Asked, Reading, Tokens


def on(topic: str, body: str = "", **front: Any) -> Article:
    """An article on that topic; the body is made of its sections, "Heading: statements" a line."""
    sections = [line.split(": ", 1) for line in body.strip().splitlines()]
    if not body:
        sections = [["Course", f"{topic} comes and goes over several weeks in most people."]]
    text = "\n".join(f"### {heading}\n\n- {said} [1]\n" for heading, said in sections)
    slug = "-".join("".join(c if c.isalnum() else " " for c in topic.lower()).split())
    fields = {"slug": slug, "title": topic, "topic": topic, **front}
    return an_article(f"## From the research\n\n{text}", **fields)


QUILLONITIS = on(
    "Quillonitis",
    """
Overview: Quillonitis is an inflammation of the skin of the forearm that comes in patches.
Cause: The patches are caused by a fungus that lives in damp wool.
Treatment: Terbolin cream twice a day for six weeks cleared the patches in most adults.
Recurrence: The patches returned within one year in a third of the treated adults.
Diagnosis: A skin scraping under the microscope shows the fungus.
""",
)
HEPATOVAROSIS = on(
    "Hepatovarosis",
    """
Overview: Hepatovarosis is a slow scarring of the liver that makes people tired.
Cause: It is caused by a parasite in river fish that is eaten raw.
Treatment: Moralam tablets once a week for three months killed the parasite.
Recurrence: After treatment it recurred in one person of twenty.
Diagnosis: Ultrasound of the liver and a blood test for the parasite confirm it.
""",
)
PALLID = on(
    "Pebbled pallid dermatosis",
    """
Overview: Small white pebbles appear on the shins of older people.
Cause: Long exposure to cold wind damages the small vessels.
Treatment: Warm compresses and compression stockings made the pebbles fade.
""",
)
NODOSIS = on(
    "Myrel endocrine nodosis",
    """
Overview: Nodules grow in several glands and make hormones in excess.
Cause: A change in the gene MYR1 is inherited from one parent.
Treatment: The largest nodules are removed by a surgeon.
""",
    aliases=["MEN"],
)
CORVANE = on(
    "Corvane dystrophy",
    """
Overview: Corvane dystrophy (KXD) weakens the muscles of the hand.
Cause: The muscle lacks the protein corvin.
Treatment: Splints at night and daily exercise kept the grip for years.
""",
)
RED = on(
    "Red marsh fever",
    """
Overview: Red marsh fever brings a high temperature and red spots.
Treatment: Fluids and rest are enough in red marsh fever.
""",
)
BLUE = on(
    "Blue marsh fever",
    """
Overview: Blue marsh fever brings a high temperature and blue lips.
Treatment: Oxygen and rest are enough in blue marsh fever.
""",
)
STORE = (QUILLONITIS, HEPATOVAROSIS, PALLID, NODOSIS, CORVANE, RED, BLUE)


def build_of(
    articles: Sequence[Article], model: MiniLM, study: dict[str, Any] | None = None
) -> index.Build:
    """A build of these articles, read by the model."""
    cut = [p.embedded for a in articles for p in passages(a)]
    readings: list[Reading] = list(model.readings(cut))
    manifest = index.Manifest(
        "", "", "test", IDENTITY, DIMENSIONS, False, 0, {}, len(readings), study=study or {}
    )
    vectors = np.vstack([r.vector for r in readings])
    return index.Build(
        manifest, list(articles), vectors, Lexical.build(cut), None, Tokens.of(readings)
    )


class Counting(MiniLM):
    """The embedding model, which keeps what it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def asked(self, text: str) -> Asked:
        self.read.append(text)
        return super().asked(text)
