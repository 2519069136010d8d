"""The check of what a language model wrote against the statements that it cites."""

from chains.grounding.check import Evidence, Grounder, Verdict
from chains.grounding.sentences import Sentences, sentences_of

__all__ = ["Evidence", "Grounder", "Sentences", "Verdict", "sentences_of"]
