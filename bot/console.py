"""The console: `corollary chat` and `corollary ask`."""

import json
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

from bot import commands, corrections, languages
from bot.app import Program
from bot.commands import Person
from bot.render import Message, Paragraph, plain, reply, rich_text
from bot.words import tr
from store.errors import CorollaryError
from store.turn import Turn, turn_dict

USER = "console"


def person(conversation: str | None) -> Person:
    """The console's user, in the conversation named or in one of its own."""
    name = conversation or f"ask-{secrets.token_hex(6)}"
    return Person(USER, f"console:{name}"[:120])


def as_json(program: Program, turn: Turn) -> dict[str, Any]:
    """The turn as programs read it, with the words a person would read."""
    message = reply(turn)
    disclaimer = program.disclaimer.of(message)
    shape = turn_dict(turn)
    shape["conversation"] = shape["conversation"].removeprefix("console:")
    return shape | {"disclaimer": disclaimer, "text": plain(message, disclaimer)}


async def ask(program: Program, question: str, conversation: str | None, json_output: bool) -> int:
    """One question and its reply; the exit code."""
    who = person(conversation)
    await languages.speak_to(program, who.user_id)
    turn = await program.assistant.ask(who.conversation_id, question, who.user_id)
    if json_output:
        print(json.dumps(as_json(program, turn), ensure_ascii=False))
    else:
        show(program, reply(turn))
    return 0


def show(program: Program, message: Message) -> None:
    """Prints a message, in colour when a person is looking."""
    if sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False)
        console.print(rich_text(message, program.disclaimer.of(message)))
    else:
        print(plain(message, program.disclaimer.of(message)))
    print(flush=True)


async def chat(program: Program, conversation: str) -> int:
    """Reads lines until the end; a line is a question or a /command.

    First of all it says what was shown in this conversation and no longer stands.
    """
    who = person(conversation)
    await languages.speak_to(program, who.user_id)
    if program.settings.corrections:
        await corrections.tell_here(program, who.conversation_id, lambda told: show(program, told))
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    if interactive:
        show(program, await commands.start(program, who, ""))
        print(tr("/help lists the commands, /quit ends."), end="\n\n")
    lines = _typed(program, who) if interactive else _piped()
    async for line in lines:
        text = line.strip()
        if not text:
            continue
        if text in {"/quit", "/exit"}:
            break
        if not interactive:
            print(f"> {text[:500]}\n")
        if interactive and program.chat_model is not None:
            show(program, await _watched(program, who, text))
        else:
            show(program, await respond(program, who, text))
    return 0


_COMMAND = re.compile(r"/\w", re.ASCII)
"""What Telegram takes for a command too; "/" alone is not one."""


async def respond(program: Program, who: Person, text: str) -> Message:
    """The message that answers one line; a problem of the moment is a message as well."""
    try:
        if _COMMAND.match(text):
            return await commands.run(program, who, *commands.split(text))
        return await commands.answer(program, who, text)
    except CorollaryError as e:
        return commands.problem(e)


async def _watched(program: Program, who: Person, text: str) -> Message:
    """As `respond`; an answer that a model writes is seen to grow, sentence by sentence."""
    from rich.console import Console
    from rich.live import Live

    if _COMMAND.match(text):
        return await respond(program, who, text)
    try:
        with Live(console=Console(highlight=False), transient=True) as live:
            async with aclosing(commands.answering(program, who, text)) as growing:
                async for told in growing:
                    live.update(rich_text(told, program.disclaimer.of(told)), refresh=True)
        return told
    except CorollaryError as e:
        return commands.problem(e)


async def _typed(program: Program, who: Person) -> Any:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import InMemoryHistory

    # What was asked before comes from the conversation itself: no second copy in a history file.
    history = InMemoryHistory()
    recalled, _ = await program.assistant.context(who.conversation_id)
    for turn in recalled.turns:
        history.append_string(turn.question)
    names = [f"/{name}" for name in (*commands.COMMANDS, "quit")]
    session: PromptSession[str] = PromptSession(
        history=history, completer=WordCompleter(names, sentence=True)
    )
    while True:
        try:
            yield await session.prompt_async("> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


async def _piped() -> Any:
    for line in _decoded_lines():
        yield line


def _decoded_lines() -> Iterator[str]:
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8", errors="replace")


async def chat_json(program: Program, conversation: str) -> int:
    """A JSON object a line in, one out. 1 when any line was not usable."""
    worst = 0
    await languages.speak_to(program, USER)
    for line in _decoded_lines():
        if not line.strip():
            continue
        try:
            request = json.loads(line)
            asked = request["question"]
            name = request.get("conversation", conversation)
            if not isinstance(asked, str) or not isinstance(name, str):
                raise TypeError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            worst = 1
            _fail('want {"conversation": "...", "question": "..."}', program)
            continue
        who = person(name)
        try:
            turn = await program.assistant.ask(who.conversation_id, asked, who.user_id)
        except CorollaryError as e:
            worst = max(worst, 1)
            _fail(str(e), program)
            continue
        print(json.dumps(as_json(program, turn), ensure_ascii=False), flush=True)
    return worst


def _fail(what: str, program: Program) -> None:
    told = Message((Paragraph(what),))
    text = {"error": what, "disclaimer": program.disclaimer.of(told)}
    print(json.dumps(text, ensure_ascii=False), flush=True)
