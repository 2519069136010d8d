"""A program whose answers are written by the stand-in for a chat model."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from chatapi import Call, ChatApi, Reply, Says, Script, faithful, statements_in
from conftest import settings_for

from bot.app import Program, open_model, writer_of
from bot.settings import Settings
from chains.assistant import Assistant
from store.embeddings import MiniLM


def settings_with(program: Program, api: ChatApi, **settings: Any) -> Settings:
    """The settings of a program that writes with the stand-in."""
    given = {
        "chat_model": "openai:test-model",
        "chat_model_base_url": api.base_url,
        "chat_model_key": api.api_key,
        "chat_model_timeout_s": 5,
        "serve_under_review": program.settings.serves_under_review,
        **settings,
    }
    return settings_for(program.settings.data_dir, **given)


@asynccontextmanager
async def written_by(program: Program, script: Script, **settings: Any) -> AsyncIterator["Writing"]:
    """The program with a chat model that answers by the script, and reads follow-ups as typed."""
    with ChatApi() as api:
        given = settings_with(program, api, **settings)
        model = open_model(given)
        assert isinstance(program.embeddings, MiniLM)
        assistant = Assistant(
            library=program.library,
            database=program.database,
            embeddings=program.embeddings,
            rules=program.desk.recipe.rules,
            rarity=program.embeddings.rarity,
            writer=writer_of(given, model, program.embeddings),
        )
        api.script(answering(script))
        whole = replace(program, settings=given, assistant=assistant, chat_model=model)
        try:
            yield Writing(whole, api)
        finally:
            assert model is not None
            await model.close()


class Writing:
    """A program that writes, and the stand-in that it asks."""

    def __init__(self, program: Program, api: ChatApi) -> None:
        self.program = program
        self.api = api

    def script(self, script: Script) -> None:
        """What the model answers from now on when it is to write."""
        self.api.script(answering(script))


_MESSAGE = re.compile(r"<<message \w+>>\n(.*)\n<<end of message", re.DOTALL)


def answering(script: Script) -> Script:
    """The script for answers; a follow-up is repeated as it was typed."""

    def reply(call: Call) -> Reply:
        message = _MESSAGE.search(call.user)
        if message and not statements_in(call):
            return Says(message[1])
        found = script(call) if callable(script) else script
        return found

    return reply


__all__ = ["Writing", "answering", "faithful", "settings_with", "written_by"]
