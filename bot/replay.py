"""A question put again as it was asked, to the served build or to another one."""

import asyncio
from contextlib import aclosing

from bot.app import Program
from store.index import Build, open_build
from store.records import AskedBefore
from store.turn import Turn


async def again(program: Program, asked: AskedBefore, build: str | None) -> Turn:
    """The turn that the question would end in now; nothing is remembered. StoreProblem when the
    build is not there or not whole."""
    if build is None:
        async with program.library.borrow() as served:
            return await _put(program, served, asked)
    desk = program.desk
    opened = await asyncio.to_thread(open_build, desk.builds, build, embedder=desk.recipe.embedder)
    try:
        return await _put(program, opened, asked)
    finally:
        await asyncio.to_thread(opened.close)


async def _put(program: Program, build: Build, asked: AskedBefore) -> Turn:
    turns = program.assistant.answering(build, asked.before, asked.turn.question)
    async with aclosing(turns):
        async for turn in turns:
            last = turn
    return last
