"""What is read of a build once, to answer from it: topics, vocabularies, aspects."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chains import retrieve
from chains.compare import Compared
from chains.confidence import FEATURES
from chains.cover import Cover
from chains.facets import Facets
from chains.kinds import Kinds
from chains.learned import LEARNED
from chains.letters import Letters
from chains.recent import Recent
from chains.topics import Topics
from store.index import Build
from store.tokens import Floats

MOST_ASKED, ASKED_BYTES = 512, 32 * 2**20
"""Questions of which what was found out is kept, and what their likenesses by words may take: four
bytes a question and passage."""
NEVER = 1.1
"""More than any word reaches: a store without probes says nothing of how it is asked."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A build, and what answering from it needs."""

    build: Build
    topics: Topics
    cover: Cover
    facets: Facets
    letters: Letters
    asked: Recent[bytes, Compared]
    """The last questions by their digest: suggestions, and short ones ("dose?"), come again."""

    ranked_by: Floats | None = None
    """The weights of the ranking, when they are not those kept with the build."""

    @property
    def ranking(self) -> Floats:
        """What each feature of a passage counts in this store."""
        if self.ranked_by is not None:
            return self.ranked_by
        kept = self.build.manifest.study.get("ranking", LEARNED["passage"])
        return np.array([kept[n] for n in retrieve.FEATURES], np.float32)

    @property
    def weights(self) -> list[float]:
        """What each feature of the confidence counts in this store."""
        weights = self.build.manifest.study.get("weights", LEARNED["answers"])
        return [float(weights.get(n, 0.0)) for n in FEATURES]

    @property
    def threshold(self) -> float:
        """The confidence below which a question is refused."""
        return float(self.build.manifest.study.get("threshold", LEARNED["refuse"]["below"]))

    @property
    def narrow(self) -> float:
        """How likely a word that is missing must narrow the question to forbid an answer."""
        return float(self.build.manifest.study.get("narrow", NEVER))

    def topic_of(self, row: int) -> int:
        """The topic of a passage."""
        return self.topics.topic_of(self.build.passages[row].article)

    @classmethod
    def of(
        cls, build: Build, rarity: Callable[[str], float], kinds: Kinds | None = None
    ) -> "Knowledge":
        """`rarity` is how seldom a word is in general English, 0 to 1; `kinds` what it is."""
        topics = Topics(build, rarity)
        return cls(
            build,
            topics,
            Cover(build, topics, rarity, kinds),
            Facets(build),
            Letters(build, topics, rarity),
            Recent(min(MOST_ASKED, 1 + ASKED_BYTES // (4 * max(1, len(build.passages))))),
        )
