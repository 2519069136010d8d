"""The stand-in for the Telegram Bot API, checked on its own."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from botapi import (
    BotApi,
    Fault,
    Flood,
    Garbage,
    Hang,
    HtmlError,
    ResetAfter,
    ResetBefore,
    RetryAfter,
    Status,
    Upload,
    parse_html,
    utf16_len,
)
from telegram import (
    Bot,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Update,
)
from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError
from telegram.error import RetryAfter as RetryAfterError
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

Json = dict[str, Any]


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        server.private(42)
        yield server


def fetch(url: str, body: bytes | None = None, kind: str = "") -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        path = f"{parts.path}?{parts.query}"
        headers = {"Content-Type": kind} if kind else {}
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def call(api: BotApi, method: str, **params: Any) -> Json:
    body = json.dumps(params).encode()
    status, answer = fetch(f"{api.base_url}{api.token}/{method}", body, "application/json")
    given: Json = json.loads(answer)
    assert given["ok"] is (status == 200)
    assert given.get("error_code", 200) == status
    return given


def refusal(api: BotApi, method: str, **params: Any) -> str:
    return str(call(api, method, **params)["description"]).removeprefix("Bad Request: ")


def html(api: BotApi, text: str) -> Json:
    return call(api, "sendMessage", chat_id=42, text=text, parse_mode="HTML")


def keyboard(**button: Any) -> Json:
    return {"inline_keyboard": [[{"text": "More", **button}]]}


# --- Text ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("p < 0.05", 'Unsupported start tag "" at byte offset 2'),
        ("<0.05>", 'Unsupported start tag "0.05" at byte offset 0'),
        ("é<p>x</p>", 'Unsupported start tag "p" at byte offset 2'),
        ("one<br/>two", 'Unsupported start tag "br/" at byte offset 3'),
        ("<b/>", 'Unsupported start tag "b/" at byte offset 0'),
        ("<b />", 'Empty attribute name in the tag "b" at byte offset 0'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
        ("<a href=http://x.org>x</a>", "Unexpected end of name token at byte offset 8"),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        (
            "<b><i>x</b></i>",
            'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
        ),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (
            "<blockquote>a<blockquote>b</blockquote></blockquote>",
            "Nested blockquote at byte offset 13",
        ),
        ("<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified"),
        (
            "&#xD83D;",
            (
                "Text contains invalid Unicode characters after decoding HTML entities,"
                " check for unmatched surrogate code units"
            ),
        ),
    ],
)
def test_broken_html_is_refused_in_the_words_of_telegram(
    api: BotApi, source: str, reason: str
) -> None:
    assert html(api, source)["description"] == f"Bad Request: can't parse entities: {reason}"
    assert api.sent == []


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("a > b & c", "a > b & c", []),
        ("&lt;&gt;&amp;&quot;&nbsp;&#39;&#x27;", "<>&\"&nbsp;''", []),
        ("<b>a</b><STRONG>b</>", "ab", [("bold", 0, 1), ("bold", 1, 1)]),
        ("😀<i>x</i>", "😀x", [("italic", 2, 1)]),
        ("  <u>x</u>\n\n", "x", [("underline", 0, 1)]),
        ("<s>a</s><b></b>", "a", [("strikethrough", 0, 1)]),
        ("<b>a<code>b</code>c</b>", "abc", [("bold", 0, 1), ("code", 1, 1), ("bold", 2, 1)]),
        ("<code>a<b>b</b></code>", "ab", [("code", 0, 2)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ('<span class="tg-spoiler">q</span>', "q", [("spoiler", 0, 1)]),
        ('<a href="javascript:x">q</a>', "q", []),
        ('<a href="tg://user?id=1">q</a>', "q", [("text_link", 0, 1)]),
    ],
)
def test_sound_html_becomes_text_and_entities(
    source: str, text: str, entities: list[tuple[str, int, int]]
) -> None:
    found, parsed = parse_html(source)
    assert found == text
    assert [(one["type"], one["offset"], one["length"]) for one in parsed] == entities


def test_links_and_languages_are_kept() -> None:
    link = parse_html("<a href='https://x.org/?a=1&amp;b=2'>x</a>")[1][0]
    assert link["url"] == "https://x.org/?a=1&b=2"
    source = '<pre><code class="language-python">x</code></pre>'
    assert parse_html(source)[1] == [
        {"type": "pre", "offset": 0, "length": 1, "language": "python"}
    ]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a" * 4096, True),
        ("a" * 4097, False),
        ("😀" * 2048, True),
        ("😀" * 2048 + "a", False),
        ("<b>" + "&lt;" * 4096 + "</b>", True),
        ("<b>" + "&lt;" * 4097 + "</b>", False),
        (" " * 50 + "a" * 4096 + "\n" * 50, True),
    ],
)
def test_length_is_counted_in_utf16_units_after_parsing(api: BotApi, text: str, fits: bool) -> None:
    answer = html(api, text)
    assert answer["ok"] is fits
    if fits:
        assert utf16_len(api.sent[0].text) == 4096
        assert api.sent[0].html == text
    else:
        assert answer["description"] == "Bad Request: message is too long"


@pytest.mark.parametrize("text", ["", "  \n", "<b> </b>", "\u200b", "<i></i>"])
def test_a_text_without_content_is_refused(api: BotApi, text: str) -> None:
    assert html(api, text)["description"] == "Bad Request: message text is empty"


def test_captions_and_callback_answers_have_their_own_limits(api: BotApi) -> None:
    api.private(43).send_document("a.txt", b"x")
    file_id = api.updates[0]["message"]["document"]["file_id"]
    send = {"chat_id": 42, "document": file_id}
    assert call(api, "sendDocument", **send, caption="a" * 1024)["ok"]
    assert refusal(api, "sendDocument", **send, caption="a" * 1025) == "message caption is too long"
    query = {"id": "q1", "from": {}, "chat_instance": "1", "data": "x"}
    api.push({"callback_query": query})
    answer = {"callback_query_id": "q1"}
    assert refusal(api, "answerCallbackQuery", **answer, text="a" * 201) == "MESSAGE_TOO_LONG"
    assert call(api, "answerCallbackQuery", **answer, text="a" * 200)["ok"]
    assert "query ID is invalid" in refusal(api, "answerCallbackQuery", **answer)


# --- Requests ------------------------------------------------------------------------------


def test_tokens_methods_chats_and_parse_modes_are_checked(api: BotApi) -> None:
    assert fetch(f"{api.base_url}9:NO/getMe") == (
        401,
        b'{"ok": false, "error_code": 401, "description": "Unauthorized"}',
    )
    assert refusal(api, "sendPoll", chat_id=42) == "Not Found"
    assert refusal(api, "sendMessage", text="x") == "chat_id is empty"
    assert refusal(api, "sendMessage", chat_id=77, text="x") == "chat not found"
    api.member(78)
    assert refusal(api, "sendMessage", chat_id=78, text="x").startswith("Forbidden: bot can't")
    markdown = refusal(api, "sendMessage", chat_id=42, text="x", parse_mode="Markdown")
    assert markdown == "unsupported parse_mode"


def test_forms_queries_and_multipart_are_understood(api: BotApi) -> None:
    url = f"{api.base_url}{api.token}"
    markup = json.dumps(keyboard(callback_data="m"))
    form = urlencode({"chat_id": "42", "text": "é 1", "reply_markup": markup}).encode()
    assert fetch(f"{url}/sendMessage", form, "application/x-www-form-urlencoded")[0] == 200
    assert fetch(f"{url}/SENDMESSAGE?chat_id=42&text=two")[0] == 200
    content = b"\r\n\x00--B\n\xff"
    parts = (
        b'--B\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n42\r\n'
        b'--B\r\nContent-Disposition: form-data; name="document"; filename="a.bin"\r\n'
        b"Content-Type: application/x-a\r\n\r\n" + content + b"\r\n--B--\r\n"
    )
    assert fetch(f"{url}/sendDocument", parts, "multipart/form-data; boundary=B")[0] == 200
    assert api.texts(42) == ["é 1", "two", ""]
    assert api.sent[0].buttons == [("More", "m")]
    assert api.sent[2].document == Upload("a.bin", content, "application/x-a")
    assert [one.method for one in api.calls] == ["sendMessage", "sendMessage", "sendDocument"]


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        (keyboard(callback_data="é" * 32), None),
        (keyboard(callback_data="é" * 32 + "a"), "BUTTON_DATA_INVALID"),
        (keyboard(callback_data=""), "BUTTON_DATA_INVALID"),
        (keyboard(), "Text buttons are unallowed"),
        (keyboard(url="https://x.org", callback_data="x"), "exactly one action"),
        (keyboard(url="ftp://x.org"), "Wrong HTTP URL"),
        (keyboard(url="tg://resolve?domain=x"), None),
        ({"inline_keyboard": [[{"text": " ", "callback_data": "x"}]]}, "BUTTON_TEXT_INVALID"),
        ({"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 9]}, "in a row"),
        ({"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 8] * 13}, "too long"),
        ({"inline_keyboard": [{"text": "x", "callback_data": "x"}]}, "Array of Arrays"),
        ({"inline": []}, "can't parse reply keyboard markup"),
    ],
)
def test_keyboards_are_checked(api: BotApi, markup: Json, reason: str | None) -> None:
    answer = call(api, "sendMessage", chat_id=42, text="x", reply_markup=markup)
    assert answer["ok"] is (reason is None)
    assert reason is None or reason in answer["description"]


def test_an_edit_must_change_something_that_exists(api: BotApi) -> None:
    edit = {"chat_id": 42, "message_id": 1, "text": "<b>a</b>", "parse_mode": "HTML"}
    assert refusal(api, "editMessageText", **edit) == "message to edit not found"
    call(api, "sendMessage", chat_id=42, text="a", reply_markup=keyboard(callback_data="m"))
    same = refusal(
        api,
        "editMessageText",
        chat_id=42,
        message_id=1,
        text="a\n",
        reply_markup=keyboard(callback_data="m"),
    )
    assert same.startswith("message is not modified")
    assert call(api, "editMessageText", **edit)["result"]["entities"][0]["type"] == "bold"
    (sent,) = api.sent
    assert [one.buttons for one in sent.versions] == [(("More", "m"),), ()]
    assert (sent.html, sent.text, sent.buttons) == ("<b>a</b>", "a", [])
    api.private(42).say("mine")
    own = refusal(api, "editMessageText", chat_id=42, message_id=2, text="x")
    assert own == "message can't be edited"
    assert call(api, "deleteMessage", chat_id=42, message_id=1)["ok"]
    gone = refusal(api, "deleteMessage", chat_id=42, message_id=1)
    assert (gone, sent.deleted) == ("message to delete not found", True)


def test_drafts_are_for_private_chats_and_kept_apart(api: BotApi) -> None:
    api.group(-100, "Ward")
    draft = {"draft_id": 5, "text": "<i>so</i>", "parse_mode": "HTML"}
    assert refusal(api, "sendMessageDraft", chat_id=-100, **draft) == "TEXTDRAFT_PEER_INVALID"
    assert "draft_id" in refusal(api, "sendMessageDraft", chat_id=42, text="x", draft_id=0)
    assert call(api, "sendMessageDraft", chat_id=42, **draft)["result"] is True
    assert call(api, "sendMessageDraft", chat_id=42, draft_id=5)["ok"]
    assert [(one.draft_id, one.text) for one in api.drafts] == [(5, "so"), (5, "")]
    assert api.sent == []


def test_rich_messages_are_read_strictly_and_not_changed_to_others(api: BotApi) -> None:
    two = {"html": "<p>a</p>", "markdown": "a"}
    assert "exactly one" in refusal(api, "sendRichMessage", chat_id=42, rich_message=two)
    wrong = refusal(api, "sendRichMessage", chat_id=42, rich_message={"html": "a < b"})
    assert wrong.startswith("can't parse rich message")
    html = "<h3>A</h3><p>b</p>"
    assert call(api, "sendRichMessage", chat_id=42, rich_message={"html": html})["ok"]
    (sent,) = api.sent
    assert (sent.kind, sent.html, sent.text) == ("rich", html, "A\nb")
    refused = refusal(api, "editMessageText", chat_id=42, message_id=1, text="x")
    assert refused == "there is no text in the message to edit"


def test_every_text_that_left_is_listed_with_its_method(api: BotApi) -> None:
    call(api, "sendMessage", chat_id=42, text="one", reply_markup=keyboard(callback_data="m"))
    person = api.private(42)
    person.press(api.sent[0], "m")
    call(api, "answerCallbackQuery", callback_query_id=person.last_callback_id, text="two")
    call(api, "sendMessageDraft", chat_id=42, draft_id=1, text="three")
    call(api, "editMessageText", chat_id=42, message_id=1, text="four")
    call(api, "sendDocument", chat_id=42, document="https://x.org/a.pdf", caption="five")
    call(api, "sendMessage", chat_id=77, text="refused")
    assert [(one.method, one.text, one.chat_id) for one in api.outgoing_texts()] == [
        ("sendMessage", "one", 42),
        ("answerCallbackQuery", "two", 42),
        ("sendMessageDraft", "three", 42),
        ("editMessageText", "four", 42),
        ("sendDocument", "five", 42),
    ]


def test_commands_are_kept_by_scope_and_language(api: BotApi) -> None:
    commands = [{"command": "privacy", "description": "What is kept"}]
    scope = {"type": "chat", "chat_id": 42}
    assert call(api, "setMyCommands", commands=commands, scope=scope, language_code="de")["ok"]
    assert api.commands(scope, "de") == commands
    assert api.commands() == []
    bad = [{"command": "Privacy", "description": "x"}]
    assert refusal(api, "setMyCommands", commands=bad) == "BOT_COMMAND_INVALID"
    unknown = {"type": "chat", "chat_id": 77}
    assert refusal(api, "setMyCommands", commands=commands, scope=unknown) == "chat not found"
    assert call(api, "setMyName", name="Corollary")["ok"]
    assert call(api, "getMe")["result"]["first_name"] == "Corollary"


def test_files_of_people_can_be_fetched_up_to_the_limit(api: BotApi) -> None:
    ada = api.private(42)
    ada.send_document("guide.md", b"# Guide", mime_type="text/markdown")
    ada.send_document("big.pdf", b"", claimed_size=20 * 1024 * 1024 + 1)
    small, big = (one["message"]["document"]["file_id"] for one in api.updates)
    path = call(api, "getFile", file_id=small)["result"]["file_path"]
    assert fetch(f"{api.base_file_url}{api.token}/{path}") == (200, b"# Guide")
    assert refusal(api, "getFile", file_id=big) == "file is too big"


# --- Updates -------------------------------------------------------------------------------


def ids(answer: Json) -> list[int]:
    return [one["update_id"] for one in answer["result"]]


def test_updates_stay_until_they_are_confirmed(api: BotApi) -> None:
    ada = api.private(42)
    first, second = ada.say("/start a_1"), ada.say("two")
    assert ids(call(api, "getUpdates", limit=1)) == [first]
    assert ids(call(api, "getUpdates")) == [first, second]
    assert ids(call(api, "getUpdates", offset=second)) == [second]
    assert ids(call(api, "getUpdates", offset=second + 1)) == []
    assert api.pending == 0
    assert api.update(first)["message"]["entities"] == [
        {"type": "bot_command", "offset": 0, "length": 6}
    ]


def test_a_pushed_duplicate_is_delivered_again(api: BotApi) -> None:
    first = api.private(42).say("one")
    assert ids(call(api, "getUpdates")) == [first]
    assert ids(call(api, "getUpdates", offset=first + 1)) == []
    assert api.push(api.update(first)) == first
    assert ids(call(api, "getUpdates", offset=first + 1)) == [first]
    assert ids(call(api, "getUpdates", offset=first + 1)) == []


def test_the_kinds_asked_for_stay_in_force(api: BotApi) -> None:
    ada = api.private(42)
    call(api, "getUpdates", allowed_updates=["edited_message"])
    ada.say("one")
    edited = ada.edit(ada.last_message_id, "two")
    assert ids(call(api, "getUpdates")) == [edited]
    assert [one["message"]["text"] for one in api.dropped] == ["one"]


def test_a_long_poll_ends_with_the_update_or_with_a_rival(api: BotApi) -> None:
    with ThreadPoolExecutor() as pool:
        begun = time.monotonic()
        waiting = pool.submit(call, api, "getUpdates", timeout=20)
        time.sleep(0.05)
        rival = pool.submit(call, api, "getUpdates", timeout=20)
        assert waiting.result(5)["error_code"] == 409
        update_id = api.private(42).say("hello")
        assert ids(rival.result(5)) == [update_id]
        assert time.monotonic() - begun < 2
    assert ids(call(api, "getUpdates", offset=update_id + 1, timeout=0)) == []


def test_stopping_ends_a_long_poll_at_once() -> None:
    with ThreadPoolExecutor() as pool:
        with BotApi() as api:
            url = f"{api.base_url}{api.token}/getUpdates?timeout=30"
            waiting = pool.submit(fetch, url)
            time.sleep(0.05)
            begun = time.monotonic()
        assert waiting.result(5)[0] == 200
        assert time.monotonic() - begun < 1
    with pytest.raises(ConnectionRefusedError):
        fetch(url)


def test_groups_number_their_own_messages_and_know_their_topics(api: BotApi) -> None:
    ada = api.private(42)
    ward, topic = api.group(-100, "Ward"), api.group(-101, "Rounds", topic_thread=9)
    ward.say(ada, "one")
    topic.say(ada, "two", reply_to=None)
    call(api, "sendMessage", chat_id=-101, text="three", message_thread_id=9)
    topic.say(ada, "four", reply_to=api.sent[0])
    one, two, four = (one["message"] for one in api.updates)
    assert (one["message_id"], two["message_id"], four["message_id"]) == (1, 1, 3)
    assert (two["message_thread_id"], api.sent[0].thread_id) == (9, 9)
    assert four["reply_to_message"]["from"]["is_bot"] is True
    elsewhere = {"chat_id": -100, "text": "x", "message_thread_id": 9}
    assert refusal(api, "sendMessage", **elsewhere) == "message thread not found"


def test_only_buttons_that_are_there_can_be_pressed_unless_forged(api: BotApi) -> None:
    ada = api.private(42)
    call(api, "sendMessage", chat_id=42, text="x", reply_markup=keyboard(callback_data="m"))
    with pytest.raises(AssertionError, match="no button 'n'"):
        ada.press(api.sent[0], "n")
    assert api.update(ada.press(1, "n", forged=True))["callback_query"]["data"] == "n"


def test_waiting_in_vain_says_what_was_seen(api: BotApi) -> None:
    call(api, "sendMessage", chat_id=42, text="one")
    with pytest.raises(AssertionError, match="'one'"):
        api.wait_sent(42, 2, timeout_s=0.05)
    timer = threading.Timer(0.05, call, (api, "sendMessage"), {"chat_id": 42, "text": "two"})
    timer.start()
    assert [one.text for one in api.wait_sent(42, 2)] == ["one", "two"]
    timer.join()


# --- Faults --------------------------------------------------------------------------------


def test_faults_happen_as_ordered_and_then_no_more(api: BotApi) -> None:
    send = {"chat_id": 42, "text": "x"}
    api.fail_next("sendMessage", RetryAfter(3), chat_id=43)
    api.fail_next("sendMessage", RetryAfter(3))
    api.fail_next("sendMessage", Status(500, "Internal Server Error"), times=2)
    limited = call(api, "sendMessage", **send)
    assert limited["parameters"] == {"retry_after": 3}
    assert limited["description"] == "Too Many Requests: retry after 3"
    assert [call(api, "sendMessage", **send).get("error_code") for _ in range(3)] == [
        500,
        500,
        None,
    ]
    assert (api.faults_left, len(api.sent)) == (1, 1)
    with pytest.raises(ValueError, match="no such method"):
        api.fail_next("sendMesage", RetryAfter(1))


def test_lost_and_late_answers_leave_the_right_trace(api: BotApi) -> None:
    url = f"{api.base_url}{api.token}/sendMessage?chat_id=42&text="
    api.fail_next("sendMessage", ResetBefore())
    with pytest.raises(ConnectionResetError):
        fetch(url + "before")
    api.fail_next("sendMessage", ResetAfter())
    with pytest.raises(ConnectionResetError):
        fetch(url + "after")
    api.fail_next("*", HtmlError(502))
    status, page = fetch(url + "gateway")
    assert (status, page[:6]) == (502, b"<html>")
    api.fail_next("sendMessage", Garbage())
    assert fetch(url + "garbage") == (200, b"\xff\xfe")
    api.fail_next("sendMessage", Hang(0.15))
    begun = time.monotonic()
    assert fetch(url + "late")[0] == 200
    assert time.monotonic() - begun >= 0.15
    assert api.texts(42) == ["after", "late"]
    assert [one.ok for one in api.calls] == [False, True, False, False, True]


def test_the_flood_model_limits_each_chat_and_all_together() -> None:
    with BotApi(flood=Flood(per_chat_per_s=1, burst=2, overall_per_s=3)) as api:
        api.private(42)
        api.private(43)
        seen = [
            call(api, "sendMessage", chat_id=chat, text="x").get("parameters", {})
            for chat in (42, 42, 42, 43, 43)
        ]
        assert seen == [{}, {}, {"retry_after": 1}, {}, {"retry_after": 1}]
        assert call(api, "sendMessageDraft", chat_id=42, draft_id=1, text="x")["ok"]


def test_the_flood_model_counts_a_group_by_the_minute() -> None:
    with BotApi(flood=Flood(per_group_per_min=3)) as api:
        api.group(-100, "Ward")
        seen = [
            call(api, "sendMessage", chat_id=-100, text="x").get("parameters", {}) for _ in range(4)
        ]
        assert seen == [{}, {}, {}, {"retry_after": 20}]


# --- Webhook -------------------------------------------------------------------------------


def test_a_webhook_gets_updates_in_order_until_it_takes_them(api: BotApi) -> None:
    got: list[tuple[str | None, int]] = []
    answers = iter([500, 200, 403, 403, 403, 403])

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            update = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            secret = self.headers["X-Telegram-Bot-Api-Secret-Token"]
            got.append((secret, update["update_id"]))
            self.send_response(next(answers))
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as hook:
        thread = threading.Thread(target=hook.serve_forever, args=(0.01,))
        thread.start()
        try:
            assert "unallowed" in refusal(api, "setWebhook", url="http://x", secret_token="a b")
            url = f"http://127.0.0.1:{hook.server_port}/hook"
            assert call(api, "setWebhook", url=url, secret_token="s-1")["ok"]
            assert call(api, "getUpdates")["error_code"] == 409
            first, second = api.private(42).say("one"), api.private(42).say("two")
            api.wait_for(lambda: api.undelivered)
        finally:
            hook.shutdown()
            thread.join()
    assert got == [("s-1", first)] * 2 + [("s-1", second)] * 4
    info = call(api, "getWebhookInfo")["result"]
    assert (info["pending_update_count"], info["url"]) == (0, url)
    assert "403" in info["last_error_message"]
    assert call(api, "deleteWebhook")["ok"]
    assert call(api, "getUpdates")["ok"]


# --- python-telegram-bot -------------------------------------------------------------------


def test_a_real_application_talks_to_it(api: BotApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")

    async def start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.effective_chat is not None
        buttons = InlineKeyboardMarkup([[InlineKeyboardButton("More", callback_data="m")]])
        await context.bot.send_message(
            update.effective_chat.id,
            f"Welcome {' '.join(context.args or [])}",
            reply_markup=buttons,
        )

    async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        assert update.message.text is not None
        await update.message.reply_html(f"<b>{update.message.text}</b>", do_quote=True)
        await update.message.reply_document(b"\xff\x00", filename="a.bin", caption="file")

    async def pressed(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.callback_query is not None
        await update.callback_query.answer("Coming")
        await update.callback_query.edit_message_text("More")

    async def talk() -> None:
        builder = Application.builder().token(api.token)
        app = builder.base_url(api.base_url).base_file_url(api.base_file_url).build()
        app.add_handler(CommandHandler("start", start))
        app.add_handler(MessageHandler(filters.TEXT, echo))
        app.add_handler(CallbackQueryHandler(pressed))
        async with app:
            assert app.updater is not None
            await app.start()
            await app.updater.start_polling(poll_interval=0, timeout=10)
            try:
                await converse(app.bot)
            finally:
                await app.updater.stop()
                await app.stop()

    async def converse(bot: Bot) -> None:
        ada = api.private(42)
        ada.say("/start a_1")
        (welcome,) = await asyncio.to_thread(api.wait_sent, 42)
        ada.press(welcome, "m")
        await asyncio.to_thread(api.wait_for, lambda: welcome.text == "More")
        ada.say("hello")
        _, answer, file = await asyncio.to_thread(api.wait_sent, 42, 3)
        assert welcome.versions[0].text == "Welcome a_1"
        assert (answer.html, answer.text) == ("<b>hello</b>", "hello")
        assert answer.reply_to == ada.last_message_id
        assert file.document is not None
        assert (file.document.content, file.text) == (b"\xff\x00", "file")
        with pytest.raises(BadRequest, match=r"(?i)can't parse entities"):
            await bot.send_message(42, "p < 0.05", parse_mode="HTML")
        with pytest.raises(Forbidden):
            await bot.send_message(api.member(50).user_id, "x")
        faults: list[tuple[Fault, type[TelegramError]]] = [
            (RetryAfter(2), RetryAfterError),
            (ResetBefore(), NetworkError),
            (ResetAfter(), NetworkError),
            (HtmlError(502), NetworkError),
            (Garbage(), TelegramError),
        ]
        for fault, error in faults:
            api.fail_next("sendMessage", fault)
            with pytest.raises(error):
                await bot.send_message(42, "x")
        assert api.faults_left == 0
        await bot.send_message_draft(42, 7, "so far")
        await bot.set_my_commands([("start", "Begin")], BotCommandScopeChat(42), "en")
        ada.send_sticker()
        ada.send_photo("look")
        ada.send_document("a.txt", b"abc")
        file_id = api.updates[-1]["message"]["document"]["file_id"]
        fetched = await bot.get_file(file_id)
        assert bytes(await fetched.download_as_bytearray()) == b"abc"
        api.group(-100, "Ward", topic_thread=3).say(ada, "/start@stand_in_bot")
        (grouped,) = await asyncio.to_thread(api.wait_sent, -100)
        assert grouped.text == "Welcome"
        await asyncio.to_thread(api.wait_for, lambda: api.pending == 0)

    asyncio.run(talk())
    assert ("answerCallbackQuery", "Coming", 42, "Coming") in list(api.outgoing_texts())
