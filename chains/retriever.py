"""The store as a LangChain retriever, for programs of others. The assistant does not need it, so
that answering does not wait for its imports."""

from functools import cached_property
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from chains.compare import Compared
from chains.facets import Facets
from chains.reading import read
from chains.retrieve import search_store


class StoreRetriever(BaseRetriever):
    """The store as other LangChain programs see it: passages as documents, best first."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    build: Any
    embeddings: Embeddings
    k: int = 5

    @cached_property
    def _facets(self) -> Facets:
        return Facets(self.build)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
    ) -> list[Document]:
        compared = Compared(self.build, read(self.embeddings, query))
        found = []
        for hit in search_store(compared, self._facets)[: k or self.k]:
            passage = self.build.passages[hit.row]
            metadata = {
                "article": passage.article,
                "section": passage.section,
                "score": round(hit.score, 4),
            }
            found.append(Document(id=passage.id, page_content=passage.text, metadata=metadata))
        return found
