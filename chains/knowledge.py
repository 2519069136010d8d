"""What is read of a build once, to answer from it: topics, vocabularies, aspects."""

from collections.abc import Callable
from dataclasses import dataclass

from chains.confidence import FEATURES
from chains.cover import Cover
from chains.facets import Facets
from chains.learned import LEARNED
from chains.topics import Topics
from store.index import Build


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A build, and what answering from it needs."""

    build: Build
    topics: Topics
    cover: Cover
    facets: Facets

    @property
    def weights(self) -> list[float]:
        """What each feature of the confidence counts in this store."""
        weights = self.build.manifest.study.get("weights", LEARNED["answers"])
        return [float(weights.get(n, 0.0)) for n in FEATURES]

    @property
    def threshold(self) -> float:
        """The confidence below which a question is refused."""
        return float(self.build.manifest.study.get("threshold", LEARNED["refuse"]["below"]))

    def topic_of(self, row: int) -> int:
        """The topic of a passage."""
        return self.topics.topic_of(self.build.passages[row].article)

    @classmethod
    def of(cls, build: Build, rarity: Callable[[str], float]) -> "Knowledge":
        """`rarity` is how seldom a word is in general English, 0 to 1."""
        topics = Topics(build, rarity)
        return cls(build, topics, Cover(build, topics, rarity), Facets(build))
