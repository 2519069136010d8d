"""A strict stand-in for the Telegram Bot API, served over HTTP on loopback.

It refuses what Telegram refuses, in Telegram's words, and keeps a record of everything it was
asked, so that a test can play the people on one side and check the bot on the other.
Only the HTML parse mode is known; any other is refused.
"""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import math
import os
import re
import secrets
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from richhtml import Rich, RichError, parse_rich

Json = dict[str, Any]
T = TypeVar("T")

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ENTITIES = 100
MAX_CALLBACK_ANSWER = 200
MAX_DOWNLOAD = 20 * 1024 * 1024
MAX_BODY = 52 * 1024 * 1024
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Kinds that Telegram sends only when they are asked for by name.
_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})

_INT_KEYS = _words(
    "chat_id message_id message_thread_id draft_id offset limit timeout user_id max_connections"
    " reply_to_message_id cache_time"
)
_BOOL_KEYS = _words(
    "show_alert drop_pending_updates disable_notification protect_content"
    " allow_sending_without_reply disable_web_page_preview disable_content_type_detection"
)
_JSON_KEYS = _words(
    "reply_markup entities caption_entities allowed_updates commands scope link_preview_options"
    " reply_parameters rich_message"
)
_ACTIONS = _words(
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document"
    " choose_sticker find_location record_video_note upload_video_note"
)
_BUTTON_ACTIONS = _words(
    "url callback_data web_app login_url switch_inline_query switch_inline_query_current_chat"
    " switch_inline_query_chosen_chat copy_text callback_game pay"
)
_SCOPES = _words(
    "default all_private_chats all_group_chats all_chat_administrators chat"
    " chat_administrators chat_member"
)


_SENT_BY = {"message": "sendMessage", "document": "sendDocument", "rich": "sendRichMessage"}
_RICH_SOURCES = {"html", "markdown", "blocks"}


class ApiError(Exception):
    """A refusal, as the Bot API words it."""

    def __init__(self, code: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after

    def body(self) -> Json:
        """The JSON answer for this refusal."""
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        return body


def _bad(description: str) -> ApiError:
    return ApiError(400, f"Bad Request: {description}")


def _too_many(seconds: int) -> ApiError:
    return ApiError(429, f"Too Many Requests: retry after {seconds}", seconds)


# --- Text and entities ---------------------------------------------------------------------


def utf16_len(text: str) -> int:
    """Length in UTF-16 code units, the unit of Telegram's limits and offsets."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_HTML_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "blockquote": "blockquote",
}
_NAMED = {"lt": 0x3C, "gt": 0x3E, "amp": 0x26, "quot": 0x22}
_SPACE = frozenset(b" \t\r\n\0\v")
_NAME_END = frozenset(b"=>/\"'") | _SPACE
_TOKEN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")
_SPLIT_BY_CODE = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})


@dataclass
class _Open:
    tag: str
    argument: str
    offset: int
    begin: int


class _HtmlParser:
    """One pass over the bytes of a text, after the rules of Telegram's own parser."""

    def __init__(self, source: str) -> None:
        self._data = source.encode("utf-8") + b"\0"
        self._end = len(self._data) - 1
        self._pos = 0
        self._offset = 0
        self._out = bytearray()
        self._open: list[_Open] = []
        self._entities: list[Json] = []

    def parse(self) -> tuple[str, list[Json]]:
        while self._pos < self._end:
            byte = self._data[self._pos]
            if byte == ord("<"):
                if self._data[self._pos + 1] == ord("/"):
                    self._end_tag()
                else:
                    self._start_tag()
                continue
            code = self._reference() if byte == ord("&") else 0
            if code:
                self._out += chr(code).encode("utf-8")
                self._offset += 2 if code > 0xFFFF else 1
                continue
            if byte & 0xC0 != 0x80:
                self._offset += 2 if byte >= 0xF0 else 1
            self._out.append(byte)
            self._pos += 1
        if self._open:
            tag = self._open[-1].tag
            raise self._error(f'Can\'t find end tag corresponding to start tag "{tag}"')
        return self._out.decode("utf-8"), self._entities

    @staticmethod
    def _error(reason: str) -> ApiError:
        return _bad(f"can't parse entities: {reason}")

    def _skip_space(self) -> None:
        while self._pos < self._end and self._data[self._pos] in _SPACE:
            self._pos += 1

    def _reference(self) -> int:
        """The code point of a character reference here, moving past it; 0 when there is none."""
        rest = self._data[self._pos : self._end]
        if found := re.match(rb"&#(?:x([0-9A-Fa-f]*)|([0-9]*))", rest):
            base = 10 if found[1] is None else 16
            code = int(found[1] or found[2] or b"0", base)
            if code == 0 or code >= 0x10FFFF or found.end() >= 10:
                return 0
            if 0xD800 <= code <= 0xDFFF:
                raise self._error(
                    "Text contains invalid Unicode characters after decoding HTML entities,"
                    " check for unmatched surrogate code units"
                )
        elif found := re.match(rb"&([A-Za-z]*)", rest):
            code = _NAMED.get(found[1].decode("ascii"), 0)
            if code == 0:
                return 0
        else:
            return 0
        self._pos += found.end()
        if self._data[self._pos] == ord(";"):
            self._pos += 1
        return code

    def _start_tag(self) -> None:
        begin = self._pos
        self._pos += 1
        while self._data[self._pos] not in _SPACE and self._data[self._pos] != ord(">"):
            self._pos += 1
        if self._pos >= self._end:
            raise self._error(f"Unclosed start tag at byte offset {begin}")
        tag = self._data[begin + 1 : self._pos].decode("utf-8").lower()
        if tag not in _HTML_TYPES:
            raise self._error(f'Unsupported start tag "{tag}" at byte offset {begin}')
        argument = ""
        while self._data[self._pos] != ord(">"):
            self._skip_space()
            if self._data[self._pos] == ord(">"):
                break
            name, value = self._attribute(tag, begin)
            if tag == "blockquote" and name == "expandable":
                argument = "1"
            elif value is None:
                continue
            elif (tag, name) in (("a", "href"), ("tg-emoji", "emoji-id")):
                argument = value
            elif (tag, name) == ("code", "class") and value.startswith("language-"):
                argument = value.removeprefix("language-")
            elif (tag, name) == ("span", "class") and value.startswith("tg-"):
                argument = value.removeprefix("tg-")
        if tag == "span" and argument != "spoiler":
            raise self._error(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        if tag == "blockquote" and any(one.tag == tag for one in self._open):
            raise self._error(f"Nested blockquote at byte offset {begin}")
        self._pos += 1
        self._open.append(_Open(tag, argument, self._offset, len(self._out)))

    def _attribute(self, tag: str, begin: int) -> tuple[str, str | None]:
        start = self._pos
        while self._data[self._pos] not in _NAME_END:
            self._pos += 1
        name = self._data[start : self._pos].decode("utf-8")
        if not name:
            raise self._error(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self._skip_space()
        if self._data[self._pos] != ord("="):
            if self._pos >= self._end:
                raise self._error(f'Unclosed start tag "{tag}" at byte offset {begin}')
            return name, None
        self._pos += 1
        self._skip_space()
        if self._pos >= self._end:
            raise self._error(f'Unclosed start tag "{tag}" at byte offset {begin}')
        quote = self._data[self._pos]
        if quote in b"'\"":
            self._pos += 1
            value = self._quoted(quote)
        else:
            start = self._pos
            while self._data[self._pos] in _TOKEN:
                self._pos += 1
            value = self._data[start : self._pos].decode("ascii").lower()
            if self._data[self._pos] not in _SPACE and self._data[self._pos] != ord(">"):
                raise self._error(f"Unexpected end of name token at byte offset {start}")
        if self._pos >= self._end:
            raise self._error(f"Unclosed start tag at byte offset {begin}")
        return name, value

    def _quoted(self, quote: int) -> str:
        value = bytearray()
        while self._pos < self._end and self._data[self._pos] != quote:
            code = self._reference() if self._data[self._pos] == ord("&") else 0
            if code:
                value += chr(code).encode("utf-8")
            else:
                value.append(self._data[self._pos])
                self._pos += 1
        if self._pos < self._end:
            self._pos += 1
        return value.decode("utf-8")

    def _end_tag(self) -> None:
        begin = self._pos
        if not self._open:
            raise self._error(f"Unexpected end tag at byte offset {begin}")
        self._pos += 2
        while self._data[self._pos] not in _SPACE and self._data[self._pos] != ord(">"):
            self._pos += 1
        name = self._data[begin + 2 : self._pos].decode("utf-8")
        self._skip_space()
        if self._data[self._pos] != ord(">"):
            raise self._error(f"Unclosed end tag at byte offset {begin}")
        self._pos += 1
        opened = self._open[-1]
        if name and name != opened.tag:
            raise self._error(
                f"Unmatched end tag at byte offset {begin},"
                f' expected "</{opened.tag}>", found "</{name}>"'
            )
        self._open.pop()
        if self._offset > opened.offset:
            self._add(opened)

    def _add(self, opened: _Open) -> None:
        kind = _HTML_TYPES[opened.tag]
        entity: Json = {
            "type": kind,
            "offset": opened.offset,
            "length": self._offset - opened.offset,
        }
        if kind == "text_link":
            url = checked_link(opened.argument or self._out[opened.begin :].decode("utf-8"))
            if not url:
                return
            entity["url"] = url
        elif kind == "custom_emoji":
            if not opened.argument.isdecimal():
                raise self._error("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = opened.argument
        elif kind == "blockquote" and opened.argument:
            entity["type"] = "expandable_blockquote"
        elif kind == "code" and opened.argument:
            entity["_language"] = opened.argument
        elif kind == "pre" and self._entities:
            last = self._entities[-1]
            same = (last["offset"], last["length"]) == (entity["offset"], entity["length"])
            if last["type"] == "code" and same:
                self._entities.pop()
                if "_language" in last:
                    entity["language"] = last["_language"]
        self._entities.append(entity)


def checked_link(url: str) -> str:
    """The link as Telegram would keep it, or nothing when it would drop it."""
    url = url.strip()
    if re.match(r"(?i)(?:https?|tg)://[^\s/?#]", url):
        return url
    if re.match(r"(?i)[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:[/:?#]|$)", url):
        return f"http://{url}"
    return ""


def _separate_code(entities: list[Json]) -> list[Json]:
    """Nothing lies inside code, and styles are split around it."""
    codes = sorted(
        ((one["offset"], one["offset"] + one["length"]), one["type"])
        for one in entities
        if one["type"] in ("code", "pre")
    )
    kept: list[Json] = []
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        kind = entity["type"]
        if "blockquote" in kind or kind == "pre":
            kept.append(entity)
            continue
        if kind == "code":
            if not any(a <= start and end <= b for (a, b), other in codes if other == "pre"):
                kept.append(entity)
            continue
        if any(a <= start and end <= b for (a, b), _ in codes):
            continue
        if kind in _SPLIT_BY_CODE:
            for (a, b), _ in codes:
                if start < a < end:
                    kept.append({**entity, "offset": start, "length": a - start})
                if a < end and b > start:
                    start = max(start, b)
        if start < end:
            kept.append({**entity, "offset": start, "length": end - start})
    return kept


def _trim(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    stripped = text.lstrip(" \n\t")
    cut = utf16_len(text) - utf16_len(stripped)
    stripped = stripped.rstrip(" \n\t")
    total = utf16_len(stripped)
    kept = []
    for entity in entities:
        start = max(entity["offset"] - cut, 0)
        end = min(entity["offset"] + entity["length"] - cut, total)
        if start < end:
            kept.append({**entity, "offset": start, "length": end - start})
    return stripped, kept


def parse_html(source: str) -> tuple[str, list[Json]]:
    """The plain text and the entities of an HTML text; raises ApiError as Telegram would."""
    try:
        text, entities = _HtmlParser(source.replace("\r", "").replace("\0", "")).parse()
    except UnicodeEncodeError:
        raise _bad("strings must be encoded in UTF-8") from None
    entities = _separate_code(entities)
    entities = [{k: v for k, v in one.items() if k != "_language"} for one in entities]
    text, entities = _trim(text, entities)
    entities.sort(key=lambda one: (one["offset"], -one["length"]))
    return text, entities[:MAX_ENTITIES]


def _plain(source: str, entities: Any) -> tuple[str, list[Json]]:
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:
        raise _bad("strings must be encoded in UTF-8") from None
    if entities is None:
        entities = []
    if not isinstance(entities, list) or not all(isinstance(one, dict) for one in entities):
        raise _bad("can't parse entities: expected an Array of MessageEntity")
    for one in entities:
        if not all(isinstance(one.get(key), int) for key in ("offset", "length")):
            raise _bad("can't parse entities: offset and length must be of type Number")
        if not isinstance(one.get("type"), str):
            raise _bad("can't parse entities: type must be of type String")
    text, kept = _trim(source.replace("\r", "").replace("\0", ""), entities)
    return text, kept[:MAX_ENTITIES]


_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"


def _is_empty(text: str) -> bool:
    return not text.translate(dict.fromkeys(map(ord, _INVISIBLE))).strip()


def _typed_entities(text: str) -> list[Json]:
    """The entities a client makes of commands, mentions and links while a person types."""
    pattern = (
        r"(?P<url>https?://\S+)"
        r"|(?<![\w/@<>])(?P<bot_command>/\w{1,64}(?:@\w{3,32})?)(?![\w/])"
        r"|(?<!\w)(?P<mention>@\w{3,32})"
    )
    return [
        {
            "type": match.lastgroup,
            "offset": utf16_len(text[: match.start()]),
            "length": utf16_len(match[0]),
        }
        for match in re.finditer(pattern, text, re.ASCII)
    ]


# --- Reply markup --------------------------------------------------------------------------


def _inline_keyboard(markup: Json) -> Json | None:
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list):
        raise _bad('can\'t parse reply keyboard markup: Field "inline_keyboard" must be an Array')
    kept: list[list[Json]] = []
    for row in rows:
        if not isinstance(row, list):
            raise _bad("can't parse inline keyboard: expected an Array of Arrays of buttons")
        if len(row) > 8:
            raise _bad("can't parse inline keyboard: too many buttons in a row")
        for button in row:
            _check_button(button)
        if row:
            kept.append(row)
    if sum(map(len, kept)) > 100:
        raise _bad("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _check_button(button: Any) -> None:
    prefix = "can't parse inline keyboard button:"
    if not isinstance(button, dict):
        raise _bad(f"{prefix} expected an Object")
    text = button.get("text")
    if not isinstance(text, str):
        raise _bad(f'{prefix} Can\'t find field "text"')
    if _is_empty(text):
        raise _bad("BUTTON_TEXT_INVALID")
    unknown = sorted(set(button) - _BUTTON_ACTIONS - {"text", "style", "icon_custom_emoji_id"})
    if unknown:
        raise _bad(f'{prefix} unknown field "{unknown[0]}"')
    actions = [name for name in button if name in _BUTTON_ACTIONS]
    if not actions:
        raise _bad(f"{prefix} Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise _bad(f"{prefix} exactly one action is expected, found {', '.join(actions)}")
    action = button[actions[0]]
    if actions[0] == "callback_data" and not (
        isinstance(action, str) and 1 <= len(action.encode("utf-8", "replace")) <= 64
    ):
        raise _bad("BUTTON_DATA_INVALID")
    if actions[0] == "url" and not (isinstance(action, str) and checked_link(action)):
        raise _bad(f"inline keyboard button URL '{action}' is invalid: Wrong HTTP URL")


def _reply_markup(markup: Any, *, inline_only: bool) -> Json | None:
    if markup is None or markup == "":
        return None
    if not isinstance(markup, dict):
        raise _bad("object expected as reply markup")
    if "inline_keyboard" in markup:
        return _inline_keyboard(markup)
    if inline_only:
        raise _bad("inline keyboard expected")
    if isinstance(markup.get("keyboard"), list):
        if not markup["keyboard"]:
            raise _bad("reply keyboard must have at least one button")
        return markup
    if markup.get("remove_keyboard") is True or markup.get("force_reply") is True:
        return markup
    raise _bad("can't parse reply keyboard markup JSON object")


def _buttons(markup: Json | None) -> list[tuple[str, str]]:
    rows = (markup or {}).get("inline_keyboard", [])
    return [
        (one["text"], str(one.get("callback_data", one.get("url", ""))))
        for row in rows
        for one in row
    ]


# --- What a test can read and order --------------------------------------------------------


@dataclass(frozen=True)
class Upload:
    """A file sent by the bot or by a person."""

    filename: str
    content: bytes
    mime_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Call:
    """One request; result holds the description when it was refused."""

    method: str
    params: Json
    at_monotonic_s: float
    ok: bool
    result: Any


@dataclass(frozen=True)
class Version:
    """A message's content between two edits."""

    html: str
    text: str
    entities: tuple[Json, ...]
    buttons: tuple[tuple[str, str], ...]
    at_monotonic_s: float


@dataclass
class Sent:
    """A message that left; its fields follow edits, versions keeps all, the first included."""

    chat_id: int
    message_id: int
    thread_id: int | None
    html: str
    text: str
    entities: list[Json]
    buttons: list[tuple[str, str]]
    versions: list[Version] = field(default_factory=list)
    kind: str = "message"
    reply_to: int | None = None
    markup: Json | None = None
    document: Upload | None = None
    deleted: bool = False
    at_monotonic_s: float = 0.0
    rich: Rich | None = None


@dataclass(frozen=True)
class Draft:
    """One state of a streamed draft."""

    chat_id: int
    draft_id: int
    thread_id: int | None
    html: str
    text: str
    entities: tuple[Json, ...]
    at_monotonic_s: float


class Outgoing(NamedTuple):
    """A text that left, by whatever method; text is plain, html as it was given."""

    method: str
    text: str
    chat_id: int
    html: str


@dataclass(frozen=True)
class RetryAfter:
    """429 with retry_after; the request is not handled."""

    seconds: int


@dataclass(frozen=True)
class Status:
    """Any error answer; the request is not handled."""

    code: int
    description: str


@dataclass(frozen=True)
class HtmlError:
    """A gateway's error page; the request is not handled."""

    code: int = 502


@dataclass(frozen=True)
class ResetBefore:
    """The connection is reset; the request is not handled."""


@dataclass(frozen=True)
class ResetAfter:
    """The connection is reset; the request has been handled."""


@dataclass(frozen=True)
class Hang:
    """The request is handled at once and answered late."""

    seconds: float


@dataclass(frozen=True)
class Garbage:
    """200 with bytes that are neither UTF-8 nor JSON."""

    handled: bool = False


Fault = RetryAfter | Status | HtmlError | ResetBefore | ResetAfter | Hang | Garbage


@dataclass(frozen=True)
class Flood:
    """Limits on sends and edits; drafts and chat actions are free."""

    per_chat_per_s: float = 1.0
    burst: int = 4
    overall_per_s: float = 30.0
    per_group_per_min: int = 20


class _Bucket:
    def __init__(self, rate: float, size: float) -> None:
        self._rate = rate
        self._size = size
        self._level = float(size)
        self._at = time.monotonic()

    def missing_s(self) -> float:
        """Seconds until one more may pass."""
        now = time.monotonic()
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, (1.0 - self._level) / self._rate)

    def take(self) -> None:
        self._level -= 1.0


# --- People and chats ----------------------------------------------------------------------


@dataclass
class _Chat:
    id: int
    type: str
    name: str
    username: str | None = None
    threads: set[int] = field(default_factory=set)
    last_message_id: int = 0
    messages: dict[int, Json] = field(default_factory=dict)
    sent: dict[int, Sent] = field(default_factory=dict)

    def json(self) -> Json:
        chat: Json = {"id": self.id, "type": self.type}
        chat["first_name" if self.type == "private" else "title"] = self.name
        if self.username:
            chat["username"] = self.username
        if self.threads:
            chat["is_forum"] = True
        return chat


class _Talk:
    """What a person can do in a chat; every act returns the id of its update."""

    def __init__(self, api: BotApi, chat_id: int) -> None:
        self._api = api
        self.chat_id = chat_id
        self.last_message_id = 0
        self.last_callback_id = ""

    def _post(
        self, person: Person, content: Json, reply_to: Sent | int | None, thread: int | None = None
    ) -> int:
        update = self._api._people_message(self.chat_id, person, content, reply_to, thread)
        self.last_message_id = update["message"]["message_id"]
        return int(update["update_id"])

    def _change(self, person: Person, message_id: int, text: str) -> int:
        return self._api._people_edit(self.chat_id, person, message_id, _text_content(text))

    def _push_button(self, person: Person, message: Sent | int, data: str, forged: bool) -> int:
        update = self._api._people_press(self.chat_id, person, message, data, forged)
        self.last_callback_id = update["callback_query"]["id"]
        return int(update["update_id"])


class Person(_Talk):
    """A person, in their private chat with the bot."""

    def __init__(
        self, api: BotApi, user_id: int, first_name: str, language_code: str, username: str | None
    ) -> None:
        super().__init__(api, user_id)
        self.user_id = user_id
        self.first_name = first_name
        self.language_code = language_code
        self.username = username

    def json(self) -> Json:
        """The User object."""
        user: Json = {"id": self.user_id, "is_bot": False, "first_name": self.first_name}
        if self.username:
            user["username"] = self.username
        if self.language_code:
            user["language_code"] = self.language_code
        return user

    def say(self, text: str, reply_to: Sent | int | None = None) -> int:
        """Send a text; commands, mentions and links become entities."""
        return self._post(self, _text_content(text), reply_to)

    def edit(self, message_id: int, text: str) -> int:
        """Change a message of one's own."""
        return self._change(self, message_id, text)

    def press(self, message: Sent | int, callback_data: str, *, forged: bool = False) -> int:
        """Press a button; it must exist unless the press is forged."""
        return self._push_button(self, message, callback_data, forged)

    def send_sticker(self, emoji: str = "\U0001f44d") -> int:
        """Send a sticker."""
        file = self._api._store(Upload("sticker.webp", b"RIFF", "image/webp"))
        content = {"type": "regular", "width": 512, "height": 512, "emoji": emoji, **file}
        return self._post(
            self, {"sticker": {**content, "is_animated": False, "is_video": False}}, None
        )

    def send_photo(self, caption: str | None = None) -> int:
        """Send a photo, perhaps with a caption."""
        file = self._api._store(Upload("photo.jpg", b"\xff\xd8\xff", "image/jpeg"))
        content: Json = {"photo": [{"width": 90, "height": 60, **file}]}
        return self._post(self, {**content, **_caption_content(caption)}, None)

    def send_document(
        self,
        filename: str,
        content: bytes,
        *,
        caption: str | None = None,
        mime_type: str = "application/octet-stream",
        claimed_size: int | None = None,
    ) -> int:
        """Send a file; claimed_size stands for a size without the bytes."""
        file = self._api._store(Upload(filename, content, mime_type), claimed_size)
        document = {**file, "file_name": filename, "mime_type": mime_type}
        return self._post(self, {"document": document, **_caption_content(caption)}, None)

    def forward(self, text: str, **origin: Any) -> int:
        """Pass on what somebody else wrote; origin is a MessageOrigin, a hidden user's if none."""
        origin = origin or {"type": "hidden_user", "sender_user_name": "Somebody"}
        content = {"forward_origin": {"date": int(time.time()), **origin}}
        return self._post(self, {**_text_content(text), **content}, None)

    def send(self, **content: Any) -> int:
        """Send a message with any content fields."""
        return self._post(self, content, None)


class Group(_Talk):
    """A supergroup, or one topic of it; everything said reaches the bot."""

    def __init__(self, api: BotApi, chat_id: int, title: str, topic_thread: int | None) -> None:
        super().__init__(api, chat_id)
        self.title = title
        self.topic_thread = topic_thread

    def say(self, person: Person, text: str, reply_to: Sent | int | None = None) -> int:
        """A person says something here."""
        return self._post(person, _text_content(text), reply_to, self.topic_thread)

    def edit(self, person: Person, message_id: int, text: str) -> int:
        """A person changes a message of their own."""
        return self._change(person, message_id, text)

    def press(
        self, person: Person, message: Sent | int, callback_data: str, *, forged: bool = False
    ) -> int:
        """A person presses a button; it must exist unless the press is forged."""
        return self._push_button(person, message, callback_data, forged)


def _text_content(text: str) -> Json:
    if not text.strip() or utf16_len(text) > MAX_TEXT:
        raise ValueError("a person can send 1 to 4096 UTF-16 code units of text")
    entities = _typed_entities(text)
    return {"text": text, "entities": entities} if entities else {"text": text}


def _caption_content(caption: str | None) -> Json:
    return {"caption": caption} if caption else {}


# --- The server ----------------------------------------------------------------------------


@dataclass
class _Pending:
    update: Json
    repeat: bool
    delivered: bool = False
    attempts: int = 0


@dataclass
class _File:
    upload: Upload
    size: int
    path: str


@dataclass
class _Webhook:
    url: str
    secret: str
    max_connections: int
    last_error_at: int | None = None
    last_error: str | None = None


@dataclass
class _Reply:
    status: int
    body: bytes
    content_type: str = "application/json"
    retry_after: int | None = None
    delay_s: float = 0.0
    reset: bool = False

    @classmethod
    def json(cls, status: int, body: Json) -> _Reply:
        return cls(status, json.dumps(body).encode("utf-8"))

    @classmethod
    def refusal(cls, error: ApiError) -> _Reply:
        reply = cls.json(error.code, error.body())
        reply.retry_after = error.retry_after
        return reply


class BotApi:
    """The stand-in itself: ``with BotApi() as api: ...``."""

    def __init__(
        self,
        token: str = "123:TEST",
        *,
        flood: Flood | None = None,
        username: str = "stand_in_bot",
        webhook_attempts: int = 4,
        webhook_retry_s: float = 0.05,
        webhook_timeout_s: float = 5.0,
    ) -> None:
        self.token = token
        self.username = username
        self._bot_id = int(token.split(":")[0])
        self._flood = flood
        self._webhook_attempts = webhook_attempts
        self._webhook_retry_s = webhook_retry_s
        self._webhook_timeout_s = webhook_timeout_s

        self._cond = threading.Condition(threading.RLock())
        self._stopping = threading.Event()
        self._server: _Server | None = None
        self._threads: list[threading.Thread] = []
        self._hook_connection: http.client.HTTPConnection | None = None
        self._internal_errors: list[BaseException] = []

        self._calls: list[Call] = []
        self._sent: list[Sent] = []
        self._drafts: list[Draft] = []
        self._outgoing: list[Outgoing] = []
        self._faults: list[tuple[str, Fault, int | None]] = []
        self._chat_buckets: dict[int, _Bucket] = {}
        self._overall = _Bucket(flood.overall_per_s, flood.overall_per_s) if flood else None

        self._chats: dict[int, _Chat] = {}
        self._people: dict[int, Person] = {}
        self._files: dict[str, _File] = {}
        self._private_message_id = 0
        self._callbacks: dict[str, int] = {}
        # Of no other server's buttons: nobody sees the same number twice in Telegram.
        self._callback_count = secrets.randbits(60)
        self._commands: dict[tuple[str, str], list[Json]] = {}
        self._profile: dict[tuple[str, str], str] = {}

        self._pending: list[_Pending] = []
        self._updates: list[Json] = []
        self._dropped: list[Json] = []
        self._undelivered: list[Json] = []
        self._seen_ids: set[int] = set()
        # Of no other server's updates either: what was taken in once is known.
        self._next_update_id = 1000 + secrets.randbits(30)
        self._allowed: frozenset[str] | None = None
        self._poll = 0
        self._webhook: _Webhook | None = None
        self._methods: dict[str, Callable[[Json], Any]] = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
            "sendMessage": self._send_message,
            "sendMessageDraft": self._send_message_draft,
            "sendRichMessage": self._send_rich_message,
            "editMessageText": self._edit_message_text,
            "editMessageReplyMarkup": self._edit_message_reply_markup,
            "deleteMessage": self._delete_message,
            "answerCallbackQuery": self._answer_callback_query,
            "sendChatAction": self._send_chat_action,
            "sendDocument": self._send_document,
            "getFile": self._get_file,
            "setMyCommands": self._set_my_commands,
            "getMyCommands": self._get_my_commands,
            "deleteMyCommands": self._delete_my_commands,
            "setMyName": lambda p: self._set_profile("name", 64, p),
            "setMyDescription": lambda p: self._set_profile("description", 512, p),
            "setMyShortDescription": lambda p: self._set_profile("short_description", 120, p),
            "getMyName": lambda p: self._get_profile("name", p),
            "getMyDescription": lambda p: self._get_profile("description", p),
            "getMyShortDescription": lambda p: self._get_profile("short_description", p),
            "logOut": lambda _: True,
            "close": lambda _: True,
        }
        self._names = {name.lower(): name for name in self._methods}

    # --- Life ---

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error is None and self._internal_errors:
            raise AssertionError("the stand-in itself failed") from self._internal_errors[0]

    def start(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        if self._server is not None:
            raise RuntimeError("already started")
        self._server = _Server(self)
        for target in (self._server.accept_loop, self._webhook_loop):
            thread = threading.Thread(target=target, name="botapi", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """End waiting polls, finish answers under way, close everything."""
        if self._server is None or self._stopping.is_set():
            return
        with self._cond:
            self._stopping.set()
            self._cond.notify_all()
            hook = self._hook_connection
        if hook is not None and hook.sock is not None:
            with contextlib.suppress(OSError):
                hook.sock.shutdown(socket.SHUT_RDWR)
        self._server.stop()
        for thread in self._threads:
            thread.join(5.0)

    @property
    def port(self) -> int:
        """The port in use."""
        if self._server is None:
            raise RuntimeError("not started")
        return self._server.server_port

    @property
    def base_url(self) -> str:
        """What python-telegram-bot calls base_url."""
        return f"http://127.0.0.1:{self.port}/bot"

    @property
    def base_file_url(self) -> str:
        """What python-telegram-bot calls base_file_url."""
        return f"http://127.0.0.1:{self.port}/file/bot"

    # --- Records ---

    @property
    def calls(self) -> list[Call]:
        """Every request so far, in the order they were answered."""
        with self._cond:
            return list(self._calls)

    def calls_of(self, method: str) -> list[Call]:
        """The requests of one method."""
        return [call for call in self.calls if call.method.lower() == method.lower()]

    @property
    def sent(self) -> list[Sent]:
        """Every message that left, deleted ones included."""
        with self._cond:
            return list(self._sent)

    @property
    def drafts(self) -> list[Draft]:
        """Every draft state shown."""
        with self._cond:
            return list(self._drafts)

    @property
    def updates(self) -> list[Json]:
        """Every update offered to the bot, in order."""
        with self._cond:
            return copy.deepcopy(self._updates)

    @property
    def dropped(self) -> list[Json]:
        """Updates of a kind the bot had not asked for."""
        with self._cond:
            return copy.deepcopy(self._dropped)

    @property
    def undelivered(self) -> list[Json]:
        """Updates given up after the last webhook attempt."""
        with self._cond:
            return copy.deepcopy(self._undelivered)

    @property
    def pending(self) -> int:
        """Updates that the bot has not confirmed."""
        with self._cond:
            return len(self._pending)

    @property
    def faults_left(self) -> int:
        """Ordered faults that have not happened yet."""
        with self._cond:
            return len(self._faults)

    def update(self, update_id: int) -> Json:
        """A copy of an update, for instance to push it again."""
        with self._cond:
            found = [one for one in self._updates if one["update_id"] == update_id]
            return copy.deepcopy(found[-1])

    def sent_to(self, chat_id: int, thread_id: int | None = None) -> list[Sent]:
        """Messages that left to a chat, or to one topic of it."""
        return [
            one
            for one in self.sent
            if one.chat_id == chat_id and thread_id in (None, one.thread_id)
        ]

    def texts(self, chat_id: int) -> list[str]:
        """Plain texts that left to a chat, as they stand now."""
        return [one.text for one in self.sent_to(chat_id)]

    def outgoing_texts(self) -> Iterator[Outgoing]:
        """Every accepted text: messages, edits, drafts, captions, callback answers."""
        with self._cond:
            texts = list(self._outgoing)
        yield from texts

    def commands(self, scope: Json | None = None, language_code: str = "") -> list[Json]:
        """The commands set for a scope and a language."""
        with self._cond:
            return list(self._commands.get((_scope_key(scope), language_code), []))

    def profile(self, kind: str, language_code: str = "") -> str:
        """The bot's name, description or short_description in a language."""
        with self._cond:
            return self._profile.get((kind, language_code), "")

    def wait_for(self, predicate: Callable[[], T], timeout_s: float = 5.0) -> T:
        """Wait until the predicate, asked after every event here, gives something true."""
        deadline = time.monotonic() + timeout_s
        with self._cond:
            while True:
                value = predicate()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"not seen within {timeout_s} s; {self._summary()}")
                self._cond.wait(left)

    def wait_sent(self, chat_id: int, count: int = 1, timeout_s: float = 5.0) -> list[Sent]:
        """Wait until at least so many messages have left to a chat."""

        def enough() -> list[Sent]:
            found = self.sent_to(chat_id)
            return found if len(found) >= count else []

        return self.wait_for(enough, timeout_s)

    def wait_calls(self, method: str, count: int = 1, timeout_s: float = 5.0) -> list[Call]:
        """Wait until a method has been answered so many times."""

        def enough() -> list[Call]:
            found = self.calls_of(method)
            return found if len(found) >= count else []

        return self.wait_for(enough, timeout_s)

    def _summary(self) -> str:
        calls = [
            f"{call.method} {'ok' if call.ok else call.result}"
            for call in self._calls
            if not (call.method == "getUpdates" and call.ok)
        ]
        sent = [(one.chat_id, one.text[:80]) for one in self._sent]
        return f"sent {sent[-10:]}, calls {calls[-20:]}, {len(self._pending)} updates pending"

    # --- Faults ---

    def fail_next(
        self, method: str, fault: Fault, times: int = 1, chat_id: int | None = None
    ) -> None:
        """Let the next requests of a method ("*" for any) fail, perhaps of one chat only."""
        name = method if method == "*" else self._known(method)
        with self._cond:
            self._faults.extend([(name, fault, chat_id)] * times)

    def clear_faults(self) -> None:
        """Forget the faults that have not happened."""
        with self._cond:
            self._faults.clear()

    def _known(self, method: str) -> str:
        if method.lower() not in self._names:
            raise ValueError(f"no such method here: {method}")
        return self._names[method.lower()]

    def _take_fault(self, method: str, chat_id: Any) -> Fault | None:
        for index, (name, fault, chat) in enumerate(self._faults):
            if name in ("*", method) and chat in (None, chat_id):
                del self._faults[index]
                return fault
        return None

    # --- People ---

    def private(
        self,
        user_id: int,
        first_name: str = "Ada",
        language_code: str = "en",
        username: str | None = None,
    ) -> Person:
        """A person who has started the bot."""
        person = self.member(user_id, first_name, language_code, username)
        self._open_private(person)
        return person

    def member(
        self,
        user_id: int,
        first_name: str = "Ada",
        language_code: str = "en",
        username: str | None = None,
    ) -> Person:
        """A person who has not started the bot: it may not write to them first."""
        if user_id <= 0:
            raise ValueError("user ids are positive")
        with self._cond:
            person = Person(self, user_id, first_name, language_code, username)
            return self._people.setdefault(user_id, person)

    def group(self, chat_id: int, title: str, topic_thread: int | None = None) -> Group:
        """A supergroup; called again with another thread, another topic of it."""
        if chat_id >= 0:
            raise ValueError("group ids are negative")
        with self._cond:
            chat = self._chats.setdefault(chat_id, _Chat(chat_id, "supergroup", title))
            if topic_thread is not None:
                chat.threads.add(topic_thread)
        return Group(self, chat_id, title, topic_thread)

    def push(self, update: Json) -> int:
        """Offer any update; a known update_id is delivered once more."""
        update = copy.deepcopy(update)
        with self._cond:
            update.setdefault("update_id", self._next_update_id)
            update_id = int(update["update_id"])
            kind = next(key for key in update if key != "update_id")
            if kind == "callback_query":
                query = update[kind]
                chat = query.get("message", {}).get("chat", {})
                self._callbacks.setdefault(query["id"], int(chat.get("id", 0)))
            self._next_update_id = max(self._next_update_id, update_id + 1)
            allowed = kind not in _ON_REQUEST if self._allowed is None else kind in self._allowed
            if allowed:
                self._updates.append(update)
                self._pending.append(_Pending(update, update_id in self._seen_ids))
                self._seen_ids.add(update_id)
            else:
                self._dropped.append(update)
            self._cond.notify_all()
        return update_id

    def _open_private(self, person: Person) -> None:
        with self._cond:
            chat = _Chat(person.user_id, "private", person.first_name, person.username)
            self._chats.setdefault(chat.id, chat)

    def _people_message(
        self,
        chat_id: int,
        person: Person,
        content: Json,
        reply_to: Sent | int | None,
        thread: int | None,
    ) -> Json:
        with self._cond:
            if chat_id > 0:
                self._open_private(person)
            chat = self._chats[chat_id]
            message = self._new_message(chat, person.json(), thread)
            if reply_to is not None:
                number = reply_to if isinstance(reply_to, int) else reply_to.message_id
                self._add_reply(message, chat, number)
            message.update(copy.deepcopy(content))
            return {"update_id": self.push({"message": message}), "message": message}

    def _people_edit(self, chat_id: int, person: Person, message_id: int, content: Json) -> int:
        with self._cond:
            message = self._chats[chat_id].messages[message_id]
            if message["from"]["id"] != person.user_id or "text" not in message:
                raise ValueError("a person can only edit a text of their own")
            message.pop("entities", None)
            message.update(content, edit_date=int(time.time()))
            return self.push({"edited_message": message})

    def _people_press(
        self, chat_id: int, person: Person, message: Sent | int, data: str, forged: bool
    ) -> Json:
        with self._cond:
            number = message if isinstance(message, int) else message.message_id
            current = self._chats[chat_id].messages[number]
            present = _buttons(current.get("reply_markup"))
            if not forged and data not in [value for _, value in present]:
                raise AssertionError(f"no button {data!r} under message {number}: {present}")
            self._callback_count += 1
            query = {
                "id": str(self._callback_count),
                "from": person.json(),
                "chat_instance": str(chat_id),
                "data": data,
                "message": current,
            }
            return {"update_id": self.push({"callback_query": query}), "callback_query": query}

    def _new_message(self, chat: _Chat, sender: Json, thread: int | None) -> Json:
        if chat.type == "private":
            self._private_message_id += 1
            number = self._private_message_id
        else:
            number = chat.last_message_id + 1
        chat.last_message_id = number
        message: Json = {
            "message_id": number,
            "from": sender,
            "chat": chat.json(),
            "date": int(time.time()),
        }
        if thread is not None:
            message["message_thread_id"] = thread
            message["is_topic_message"] = True
        chat.messages[number] = message
        return message

    @staticmethod
    def _add_reply(message: Json, chat: _Chat, number: int) -> None:
        target = copy.deepcopy(chat.messages[number])
        target.pop("reply_to_message", None)
        message["reply_to_message"] = target

    def _store(self, upload: Upload, size: int | None = None) -> Json:
        with self._cond:
            number = len(self._files) + 1
            file_id = f"FILE{number:06d}"
            size = len(upload.content) if size is None else size
            folder = upload.mime_type.split("/")[0]
            suffix = os.path.splitext(upload.filename)[1]
            self._files[file_id] = _File(upload, size, f"{folder}/file_{number}{suffix}")
        return {"file_id": file_id, "file_unique_id": f"U{number:06d}", "file_size": size}

    # --- Requests ---

    def _serve(self, token: str, method: str, params: Json, refused: ApiError | None) -> _Reply:
        """Handle one request under the lock and say how to answer it."""
        at = time.monotonic()
        name = self._names.get(method.lower(), method)
        handler = self._methods.get(name)
        with self._cond:
            fault = self._take_fault(name, params.get("chat_id"))
            if early := _early(fault):
                reply, reason = early
                self._record(Call(name, params, at, False, reason))
                return reply
            ok, result = True, None
            try:
                if token != self.token:
                    raise ApiError(401, "Unauthorized")
                if handler is None:
                    raise ApiError(404, "Not Found")
                if refused is not None:
                    raise refused
                result = copy.deepcopy(handler(params))
                reply = _Reply.json(200, {"ok": True, "result": result})
            except ApiError as error:
                ok, result = False, error.description
                reply = _Reply.refusal(error)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                self._internal_errors.append(error)
                ok, result = False, f"Internal Server Error: {error!r}"
                reply = _Reply.refusal(ApiError(500, result))
            self._record(Call(name, params, at, ok, result))
        if isinstance(fault, ResetAfter):
            reply.reset = True
        elif isinstance(fault, Hang):
            reply.delay_s = fault.seconds
        elif isinstance(fault, Garbage):
            return _Reply(200, b"\xff\xfe")
        return reply

    def _record(self, call: Call) -> None:
        self._calls.append(call)
        self._cond.notify_all()

    def _download(self, token: str, path: str) -> _Reply:
        if token != self.token:
            return _Reply.refusal(ApiError(401, "Unauthorized"))
        with self._cond:
            for file in self._files.values():
                if file.path == path:
                    return _Reply(200, file.upload.content, file.upload.mime_type)
        return _Reply.refusal(ApiError(404, "Not Found"))

    def _chat(self, params: Json) -> _Chat:
        chat_id = params.get("chat_id")
        if chat_id is None or chat_id == "":
            raise _bad("chat_id is empty")
        if isinstance(chat_id, int):
            if chat_id in self._chats:
                return self._chats[chat_id]
            if chat_id in self._people:
                raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        raise _bad("chat not found")

    def _thread(self, chat: _Chat, params: Json) -> int | None:
        thread = params.get("message_thread_id")
        if thread in (None, "", 0):
            return None
        if not isinstance(thread, int) or thread not in chat.threads:
            raise _bad("message thread not found")
        return thread

    def _formatted(self, params: Json, key: str, limit: int) -> tuple[str, str, list[Json]]:
        """The source, the plain text and the entities of a text parameter."""
        source = params.get(key)
        source = "" if source is None else source if isinstance(source, str) else str(source)
        mode = params.get("parse_mode") or ""
        if mode and str(mode).lower() != "html":
            raise _bad("unsupported parse_mode")
        if mode:
            text, entities = parse_html(source)
        else:
            given = params.get("entities" if key == "text" else f"{key}_entities")
            text, entities = _plain(source, given)
        if utf16_len(text) > limit:
            raise _bad(f"message {'caption ' if key == 'caption' else ''}is too long")
        return source, text, entities

    def _text(self, params: Json) -> tuple[str, str, list[Json]]:
        source, text, entities = self._formatted(params, "text", MAX_TEXT)
        if _is_empty(text):
            raise _bad("message text is empty")
        return source, text, entities

    def _spend(self, chat: _Chat) -> None:
        """Count a send against the flood limits."""
        if self._flood is None or self._overall is None:
            return
        if chat.type == "private":
            fresh = _Bucket(self._flood.per_chat_per_s, self._flood.burst)
        else:
            a_minute = self._flood.per_group_per_min
            fresh = _Bucket(a_minute / 60, a_minute)
        bucket = self._chat_buckets.setdefault(chat.id, fresh)
        missing = max(bucket.missing_s(), self._overall.missing_s())
        if missing > 0:
            raise _too_many(max(1, math.ceil(missing)))
        bucket.take()
        self._overall.take()

    def _reply_target(self, chat: _Chat, params: Json) -> int | None:
        reply = params.get("reply_parameters") or {}
        if not isinstance(reply, dict):
            raise _bad("can't parse reply parameters: expected an Object")
        number = reply.get("message_id", params.get("reply_to_message_id"))
        if number is None or number == "":
            return None
        if isinstance(number, int) and number in chat.messages:
            return number
        if reply.get("allow_sending_without_reply") or params.get("allow_sending_without_reply"):
            return None
        raise _bad("message to be replied not found")

    # --- Methods: the bot and its updates ---

    def _me(self) -> Json:
        return {
            "id": self._bot_id,
            "is_bot": True,
            "first_name": self._profile.get(("name", "")) or "Stand-in",
            "username": self.username,
        }

    def _get_me(self, _: Json) -> Json:
        return self._me() | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def _allow(self, params: Json) -> None:
        kinds = params.get("allowed_updates")
        if kinds is None or kinds == "":
            return
        if not isinstance(kinds, list) or not all(isinstance(one, str) for one in kinds):
            raise _bad("can't parse allowed_updates: expected an Array of String")
        self._allowed = frozenset(kinds) or None

    def _get_updates(self, params: Json) -> list[Json]:
        if self._webhook is not None:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first",
            )
        self._allow(params)
        numbers = {}
        for key in ("offset", "limit", "timeout"):
            numbers[key] = params.get(key) or 0
            if not isinstance(numbers[key], int):
                raise _bad(f"{key} must be an integer")
        offset = numbers["offset"]
        limit = numbers["limit"] if 1 <= numbers["limit"] <= 100 else 100
        deadline = time.monotonic() + min(max(numbers["timeout"], 0), 50)
        self._poll += 1
        poll = self._poll
        self._cond.notify_all()
        self._pending.sort(key=lambda one: int(one.update["update_id"]))
        if offset < 0:
            self._pending = self._pending[offset:]
        self._pending = [
            one
            for one in self._pending
            if one.update["update_id"] >= offset or (one.repeat and not one.delivered)
        ]
        while True:
            batch = sorted(self._pending, key=lambda one: int(one.update["update_id"]))[:limit]
            left = deadline - time.monotonic()
            if batch or left <= 0 or self._stopping.is_set():
                for one in batch:
                    one.delivered = True
                return [one.update for one in batch]
            self._cond.wait(left)
            if self._poll != poll:
                raise ApiError(
                    409,
                    "Conflict: terminated by other getUpdates request;"
                    " make sure that only one bot instance is running",
                )
            if self._webhook is not None:
                raise ApiError(409, "Conflict: terminated by setWebhook request")

    def _set_webhook(self, params: Json) -> bool:
        url = str(params.get("url") or "")
        secret = str(params.get("secret_token") or "")
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise _bad("secret token contains unallowed characters")
        connections = params.get("max_connections", 40)
        if not isinstance(connections, int) or not 1 <= connections <= 100:
            raise _bad("max_connections must be between 1 and 100")
        # Telegram wants https; a test's receiver on loopback has no certificate.
        if url and not re.match(r"https?://[^\s/:]+(?::\d{1,5})?(?:/|$)", url):
            raise _bad("bad webhook: An HTTPS URL must be provided for webhook")
        self._allow(params)
        if params.get("drop_pending_updates"):
            self._pending.clear()
        self._webhook = _Webhook(url, secret, connections) if url else None
        self._cond.notify_all()
        return True

    def _delete_webhook(self, params: Json) -> bool:
        if params.get("drop_pending_updates"):
            self._pending.clear()
        self._webhook = None
        return True

    def _get_webhook_info(self, _: Json) -> Json:
        info: Json = {
            "url": self._webhook.url if self._webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._pending),
        }
        if self._webhook:
            info["max_connections"] = self._webhook.max_connections
            if self._webhook.last_error:
                info["last_error_date"] = self._webhook.last_error_at
                info["last_error_message"] = self._webhook.last_error
        if self._allowed is not None:
            info["allowed_updates"] = sorted(self._allowed)
        return info

    def _webhook_loop(self) -> None:
        while True:
            with self._cond:
                while not self._stopping.is_set() and not (self._webhook and self._pending):
                    self._cond.wait()
                hook = self._webhook
                if self._stopping.is_set() or hook is None:
                    return
                one = self._pending[0]
                one.attempts += 1
            error = self._post_update(hook, one.update)
            with self._cond:
                if error is not None:
                    hook.last_error, hook.last_error_at = error, int(time.time())
                given_up = error is not None and one.attempts >= self._webhook_attempts
                if given_up:
                    self._undelivered.append(one.update)
                if error is None or given_up:
                    self._pending = [other for other in self._pending if other is not one]
                self._cond.notify_all()
            if error is not None and not given_up:
                self._stopping.wait(self._webhook_retry_s)

    def _post_update(self, hook: _Webhook, update: Json) -> str | None:
        """Post one update; the reason when it did not arrive."""
        parts = urlsplit(hook.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=self._webhook_timeout_s)
        headers = {"Content-Type": "application/json", "Connection": "close"}
        if hook.secret:
            headers[SECRET_HEADER] = hook.secret
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with self._cond:
            self._hook_connection = connection
        try:
            connection.request("POST", path, json.dumps(update).encode("utf-8"), headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            return f"Connection failed: {error!r}"
        finally:
            connection.close()
        if 200 <= response.status < 300:
            return None
        return f"Wrong response from the webhook: {response.status} {response.reason}"

    # --- Methods: messages ---

    def _deliver(
        self,
        params: Json,
        chat: _Chat,
        thread: int | None,
        formatted: tuple[str, str, list[Json]],
        content: Json,
        kind: str = "message",
        document: Upload | None = None,
        rich: Rich | None = None,
    ) -> Json:
        source, text, entities = formatted
        markup = _reply_markup(params.get("reply_markup"), inline_only=False)
        reply_to = self._reply_target(chat, params)
        self._spend(chat)
        message = self._new_message(chat, self._me(), thread)
        if reply_to is not None:
            self._add_reply(message, chat, reply_to)
        message.update(content)
        if markup and "inline_keyboard" in markup:
            message["reply_markup"] = markup
        sent = Sent(
            chat.id,
            message["message_id"],
            thread,
            source,
            text,
            entities,
            _buttons(markup),
            kind=kind,
            reply_to=reply_to,
            markup=markup,
            document=document,
            at_monotonic_s=time.monotonic(),
            rich=rich,
        )
        self._add_version(sent)
        chat.sent[sent.message_id] = sent
        self._sent.append(sent)
        if text:
            method = _SENT_BY[kind]
            self._outgoing.append(Outgoing(method, text, chat.id, source))
        return message

    @staticmethod
    def _add_version(sent: Sent) -> None:
        sent.versions.append(
            Version(
                sent.html, sent.text, tuple(sent.entities), tuple(sent.buttons), time.monotonic()
            )
        )

    def _send_message(self, params: Json) -> Json:
        chat = self._chat(params)
        thread = self._thread(chat, params)
        formatted = self._text(params)
        content: Json = {"text": formatted[1]}
        if formatted[2]:
            content["entities"] = formatted[2]
        return self._deliver(params, chat, thread, formatted, content)

    def _send_rich_message(self, params: Json) -> Json:
        chat = self._chat(params)
        thread = self._thread(chat, params)
        given = params.get("rich_message")
        if not isinstance(given, dict) or len(_RICH_SOURCES & given.keys()) != 1:
            raise _bad("exactly one of html, markdown and blocks must be given")
        if not isinstance(given.get("html"), str):
            raise _bad("only html is known here")
        try:
            rich = parse_rich(given["html"])
        except RichError as error:
            raise _bad(f"can't parse rich message: {error}") from None
        content: Json = {"rich_message": {"blocks": [{"type": b.kind} for b in rich.blocks]}}
        formatted: tuple[str, str, list[Json]] = given["html"], rich.text, []
        return self._deliver(params, chat, thread, formatted, content, "rich", rich=rich)

    def _send_document(self, params: Json) -> Json:
        chat = self._chat(params)
        thread = self._thread(chat, params)
        given = params.get("document")
        if isinstance(given, str) and given.startswith("attach://"):
            given = params.get(given.removeprefix("attach://"))
        if given is None or given == "":
            raise _bad("there is no document in the request")
        if isinstance(given, Upload):
            if not given.content:
                raise _bad("file must be non-empty")
            upload, file = given, self._store(given)
        elif isinstance(given, str) and given in self._files:
            upload = self._files[given].upload
            file = {"file_id": given, "file_unique_id": f"U{given[4:]}"}
            file["file_size"] = self._files[given].size
        elif re.match(r"https?://", str(given)):
            upload = Upload(str(given).rsplit("/", 1)[-1], b"")
            file = self._store(upload)
        else:
            raise _bad("wrong file identifier/HTTP URL specified")
        formatted = self._formatted(params, "caption", MAX_CAPTION)
        content: Json = {
            "document": {**file, "file_name": upload.filename, "mime_type": upload.mime_type}
        }
        if formatted[1]:
            content["caption"] = formatted[1]
            if formatted[2]:
                content["caption_entities"] = formatted[2]
        return self._deliver(params, chat, thread, formatted, content, "document", upload)

    def _send_message_draft(self, params: Json) -> bool:
        chat = self._chat(params)
        if chat.type != "private":
            raise _bad("TEXTDRAFT_PEER_INVALID")
        thread = self._thread(chat, params)
        draft_id = params.get("draft_id")
        if not isinstance(draft_id, int) or draft_id == 0:
            raise _bad("draft_id must be non-zero")
        source, text, entities = self._formatted(params, "text", MAX_TEXT)
        self._drafts.append(
            Draft(chat.id, draft_id, thread, source, text, tuple(entities), time.monotonic())
        )
        if text:
            self._outgoing.append(Outgoing("sendMessageDraft", text, chat.id, source))
        return True

    def _own_message(self, params: Json, verb: str) -> tuple[_Chat, Json, Sent]:
        chat = self._chat(params)
        number = params.get("message_id")
        if not isinstance(number, int):
            raise _bad("message identifier is not specified")
        message = chat.messages.get(number)
        if message is None:
            raise _bad(f"message to {verb} not found")
        if number not in chat.sent:
            raise _bad(f"message can't be {'edited' if verb == 'edit' else 'deleted'}")
        return chat, message, chat.sent[number]

    def _edited(
        self,
        params: Json,
        content: tuple[str, str, list[Json]] | None,
    ) -> Json:
        chat, message, sent = self._own_message(params, "edit")
        if content is not None and sent.kind != "message":
            raise _bad("there is no text in the message to edit")
        markup = _reply_markup(params.get("reply_markup"), inline_only=True)
        source, text, entities = content or (sent.html, sent.text, sent.entities)
        same_text = (text, entities) == (sent.text, sent.entities)
        if same_text and markup == message.get("reply_markup"):
            raise _bad(
                "message is not modified: specified new message content and reply markup are"
                " exactly the same as a current content and reply markup of the message"
            )
        self._spend(chat)
        if content is not None:
            message["text"] = text
            message.pop("entities", None)
            if entities:
                message["entities"] = entities
            self._outgoing.append(Outgoing("editMessageText", text, chat.id, source))
        message.pop("reply_markup", None)
        if markup:
            message["reply_markup"] = markup
        message["edit_date"] = int(time.time())
        sent.html, sent.text, sent.entities = source, text, entities
        sent.markup, sent.buttons = markup, _buttons(markup)
        self._add_version(sent)
        return message

    def _edit_message_text(self, params: Json) -> Json:
        self._own_message(params, "edit")
        return self._edited(params, self._text(params))

    def _edit_message_reply_markup(self, params: Json) -> Json:
        return self._edited(params, None)

    def _delete_message(self, params: Json) -> bool:
        chat = self._chat(params)
        number = params.get("message_id")
        if not isinstance(number, int):
            raise _bad("message identifier is not specified")
        if number not in chat.messages:
            raise _bad("message to delete not found")
        if number not in chat.sent and chat.type != "private":
            raise _bad("message can't be deleted")
        del chat.messages[number]
        if number in chat.sent:
            chat.sent[number].deleted = True
        return True

    def _answer_callback_query(self, params: Json) -> bool:
        query_id = str(params.get("callback_query_id") or "")
        text = str(params.get("text") or "")
        if utf16_len(text) > MAX_CALLBACK_ANSWER:
            raise _bad("MESSAGE_TOO_LONG")
        chat_id = self._callbacks.get(query_id, -1)
        if chat_id == -1:
            raise _bad("query is too old and response timeout expired or query ID is invalid")
        self._callbacks[query_id] = -1
        if text:
            self._outgoing.append(Outgoing("answerCallbackQuery", text, chat_id, text))
        return True

    def _send_chat_action(self, params: Json) -> bool:
        self._thread(self._chat(params), params)
        if str(params.get("action")) not in _ACTIONS:
            raise _bad("wrong parameter action in request")
        return True

    def _get_file(self, params: Json) -> Json:
        file_id = str(params.get("file_id") or "")
        if not file_id:
            raise _bad("file_id not specified")
        if file_id not in self._files:
            raise _bad("invalid file_id")
        file = self._files[file_id]
        if file.size > MAX_DOWNLOAD:
            raise _bad("file is too big")
        return {
            "file_id": file_id,
            "file_unique_id": f"U{file_id[4:]}",
            "file_size": file.size,
            "file_path": file.path,
        }

    # --- Methods: menu and profile ---

    def _command_key(self, params: Json) -> tuple[str, str]:
        scope = params.get("scope") or None
        if scope is not None:
            if not isinstance(scope, dict) or str(scope.get("type")) not in _SCOPES:
                raise _bad("can't parse BotCommandScope: unsupported type specified")
            if scope["type"] in ("chat", "chat_administrators", "chat_member"):
                self._chat(_typed(scope))
        return _scope_key(scope), _language(params)

    def _set_my_commands(self, params: Json) -> bool:
        key = self._command_key(params)
        commands = params.get("commands")
        if not isinstance(commands, list):
            raise _bad("can't parse commands: expected an Array of BotCommand")
        if len(commands) > 100:
            raise _bad("BOT_COMMANDS_TOO_MUCH")
        for one in commands:
            if not isinstance(one, dict):
                raise _bad("can't parse commands: expected an Array of BotCommand")
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(one.get("command", ""))):
                raise _bad("BOT_COMMAND_INVALID")
            if not 1 <= utf16_len(str(one.get("description", "")).strip()) <= 256:
                raise _bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self._commands[key] = commands
        return True

    def _get_my_commands(self, params: Json) -> list[Json]:
        return self._commands.get(self._command_key(params), [])

    def _delete_my_commands(self, params: Json) -> bool:
        self._commands.pop(self._command_key(params), None)
        return True

    def _set_profile(self, kind: str, limit: int, params: Json) -> bool:
        value = str(params.get(kind) or "")
        if utf16_len(value) > limit:
            raise _bad(f"bot {kind.replace('_', ' ')} is too long")
        self._profile[kind, _language(params)] = value
        return True

    def _get_profile(self, kind: str, params: Json) -> Json:
        value = self._profile.get((kind, _language(params))) or self._profile.get((kind, ""), "")
        return {kind: value}


def _scope_key(scope: Json | None) -> str:
    return json.dumps(scope or {"type": "default"}, sort_keys=True)


def _language(params: Json) -> str:
    code = str(params.get("language_code") or "")
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise _bad("invalid language code specified")
    return code


def _early(fault: Fault | None) -> tuple[_Reply, str] | None:
    """The answer of a fault that keeps the request from being handled."""
    if isinstance(fault, RetryAfter):
        return _Reply.refusal(_too_many(fault.seconds)), _too_many(fault.seconds).description
    if isinstance(fault, Status):
        return _Reply.refusal(ApiError(fault.code, fault.description)), fault.description
    if isinstance(fault, HtmlError):
        page = f"<html><head><title>{fault.code}</title></head><body>Gateway error</body></html>"
        return _Reply(fault.code, page.encode("ascii"), "text/html"), f"HTML error {fault.code}"
    if isinstance(fault, ResetBefore):
        return _Reply(0, b"", reset=True), "connection reset before handling"
    if isinstance(fault, Garbage) and not fault.handled:
        return _Reply(200, b"\xff\xfe"), "garbage answered"
    return None


# --- HTTP ----------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, api: BotApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}

    def accept_loop(self) -> None:
        while True:
            try:
                connection, address = self.socket.accept()
            except OSError:
                return
            with self._lock:
                if self.api._stopping.is_set():
                    connection.close()
                    return
                thread = threading.Thread(
                    target=self._run, args=(connection, address), name="botapi", daemon=True
                )
                self._open[connection] = thread
                thread.start()

    def _run(self, connection: socket.socket, address: Any) -> None:
        try:
            self.finish_request(connection, address)
        except OSError:
            pass  # The client went away.
        finally:
            with self._lock:
                self._open.pop(connection, None)
            self.shutdown_request(connection)

    def stop(self) -> None:
        """Wake the accepting thread and the idle ones, and wait for them."""
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.server_port), timeout=1.0).close()
        with self._lock:
            threads = dict(self._open)
        for connection in threads:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        for connection, thread in threads.items():
            thread.join(1.0)
            if thread.is_alive():
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                thread.join(1.0)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _handle(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._answer(_Reply.refusal(ApiError(413, "Request Entity Too Large")))
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        path = unquote(url.path)
        api = self.server.api
        if found := re.fullmatch(r"/file/bot([^/]+)/(.+)", path):
            self._answer(api._download(found[1], found[2]))
            return
        if not (found := re.fullmatch(r"/bot([^/]+)/([^/]+)", path)):
            self._answer(_Reply.refusal(ApiError(404, "Not Found")))
            return
        params: Json = {}
        refused: ApiError | None = None
        try:
            params = _raw_params(url.query, self.headers.get("Content-Type") or "", body)
            params = _typed(params)
        except ApiError as error:
            refused = error
        self._answer(api._serve(found[1], found[2], params, refused))

    def _answer(self, reply: _Reply) -> None:
        stopping = self.server.api._stopping
        if reply.delay_s:
            stopping.wait(reply.delay_s)
        if stopping.is_set():
            self.close_connection = True
        if reply.reset:
            self._reset()
            return
        phrase = http.client.responses.get(reply.status, "Unknown")
        head = [
            f"HTTP/1.1 {reply.status} {phrase}",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
        ]
        if reply.retry_after is not None:
            head.append(f"Retry-After: {reply.retry_after}")
        if self.close_connection:
            head.append("Connection: close")
        self.wfile.write("\r\n".join([*head, "", ""]).encode("ascii") + reply.body)

    def _reset(self) -> None:
        """Close with a TCP reset instead of an orderly end."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        os.close(self.connection.detach())


def _raw_params(query: str, content_type: str, body: bytes) -> Json:
    """The parameters of a request as they were sent."""
    kind, _, rest = content_type.partition(";")
    try:
        params: Json = dict(parse_qsl(query, keep_blank_values=True, errors="strict"))
        if kind == "application/json":
            given = json.loads(body or b"{}")
            if not isinstance(given, dict):
                raise _bad("object expected in the request body")
            params |= given
        elif kind == "application/x-www-form-urlencoded":
            form = body.decode("utf-8")
            params |= parse_qsl(form, keep_blank_values=True, errors="strict")
        elif kind == "multipart/form-data":
            boundary = re.search(r'boundary="?([^";]+)', rest)
            if not boundary:
                raise _bad("can't find boundary of the multipart body")
            params |= _multipart(body, boundary[1].encode("ascii"))
        elif body:
            raise _bad(f"unsupported content type {kind!r}")
    except UnicodeDecodeError:
        raise _bad("strings must be encoded in UTF-8") from None
    except json.JSONDecodeError:
        raise _bad("can't parse the request body as JSON") from None
    return params


def _multipart(body: bytes, boundary: bytes) -> Json:
    params: Json = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if part.startswith(b"--"):
            break
        head, _, content = part.partition(b"\r\n\r\n")
        headers = head.decode("utf-8")
        name = re.search(r'(?i)content-disposition:[^\r\n]*?;\s*name="([^"]*)"', headers)
        if not name:
            raise _bad("can't find the name of a part of the multipart body")
        filename = re.search(r'(?i);\s*filename="([^"]*)"', headers)
        if filename:
            mime = re.search(r"(?i)content-type:\s*([^\s;]+)", headers)
            kind = mime[1] if mime else "application/octet-stream"
            params[name[1]] = Upload(filename[1], content, kind)
        else:
            params[name[1]] = content.decode("utf-8")
    return params


def _typed(params: Json) -> Json:
    """Numbers, booleans and JSON values out of the strings of a form."""
    typed: Json = {}
    for key, value in params.items():
        typed[key] = value
        if not isinstance(value, str):
            continue
        if key in _INT_KEYS and re.fullmatch(r"-?[0-9]{1,19}", value):
            typed[key] = int(value)
        elif key in _BOOL_KEYS:
            typed[key] = value.lower() in ("true", "1", "yes")
        elif key in _JSON_KEYS and value:
            try:
                typed[key] = json.loads(value)
            except json.JSONDecodeError:
                what = "reply keyboard markup" if key == "reply_markup" else key
                raise _bad(f"can't parse {what} JSON object") from None
    return typed
