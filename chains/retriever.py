"""The store as a LangChain retriever, for programs of others. The assistant does not need it, so
that answering does not wait for its imports."""

from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from chains.retrieve import search_store


class StoreRetriever(BaseRetriever):
    """The store as other LangChain programs see it: passages as documents, best first."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    build: Any
    embeddings: Embeddings
    k: int = 5

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
    ) -> list[Document]:
        vector = np.asarray(self.embeddings.embed_query(query), np.float32)
        found = []
        for hit in search_store(self.build, query, vector)[: k or self.k]:
            passage = self.build.passages[hit.row]
            metadata = {
                "article": passage.article,
                "section": passage.section,
                "score": round(hit.score, 4),
            }
            found.append(Document(id=passage.id, page_content=passage.text, metadata=metadata))
        return found
