"""The store as a LangChain retriever passes LangChain's own tests."""

from pathlib import Path
from typing import Any

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests

from bot.app import Program
from chains.retriever import StoreRetriever
from store.embeddings import IDENTITY, MiniLM
from store.index import Build, open_build

_opened: list[Build] = []


@pytest.fixture(scope="module", autouse=True)
async def _build(program: Program, data_folder: Path) -> Any:
    name = await program.database.served_build()
    assert name is not None
    _opened.append(open_build(data_folder / "builds", name, embedder=IDENTITY))
    yield
    _opened.pop().close()


class TestStoreRetriever(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[StoreRetriever]:
        return StoreRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"build": _opened[0], "embeddings": MiniLM()}

    @property
    def retriever_query_example(self) -> str:
        return "recurrence after keloid excision"


def test_documents_carry_their_article_and_score() -> None:
    retriever = StoreRetriever(build=_opened[0], embeddings=MiniLM(), k=3)
    found = retriever.invoke("propranolol dose for infantile hemangioma")
    assert found[0].metadata["article"] == "infantile-hemangioma"
    scores = [d.metadata["score"] for d in found]
    assert scores == sorted(scores, reverse=True)
