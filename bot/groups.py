"""What of a group's talk is for the bot: what names it, and what replies to it."""

import re

from telegram import Message
from telegram.constants import ChatType, MessageEntityType


def question(said: Message, bot_id: int, username: str) -> str | None:
    """The text as a question to the bot, without its name, empty when there is nothing else; None
    when it is none of the bot's business. In a private chat everything is."""
    text = said.text or ""
    if said.chat.type == ChatType.PRIVATE:
        return text
    replied = said.reply_to_message
    to_the_bot = bool(replied and replied.from_user and replied.from_user.id == bot_id)
    # In a topic every message "replies" to the one that opened it.
    if replied is not None and replied.forum_topic_created is not None:
        to_the_bot = False
    if not to_the_bot and not _names(said, bot_id, username):
        return None
    name = re.compile(rf"(?<!\w)@{re.escape(username)}\b[,:]?", re.IGNORECASE)
    return name.sub(" ", _unnamed(said, bot_id)).strip()


def _unnamed(said: Message, bot_id: int) -> str:
    """The text without what names the bot by a link to it."""
    units = (said.text or "").encode("utf-16-le", "surrogatepass")
    for entity in reversed(said.entities):
        if entity.user is not None and entity.user.id == bot_id:
            before, after = units[: 2 * entity.offset], units[2 * (entity.offset + entity.length) :]
            units = before + after
    return units.decode("utf-16-le", "surrogatepass").lstrip(",: ")


def _names(said: Message, bot_id: int, username: str) -> bool:
    kinds: list[str | None] = [MessageEntityType.MENTION, MessageEntityType.TEXT_MENTION]
    for entity, text in said.parse_entities(kinds).items():
        if entity.user is not None and entity.user.id == bot_id:
            return True
        if text.lower() == f"@{username.lower()}":
            return True
    return False
