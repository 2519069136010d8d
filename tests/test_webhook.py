"""The HTTP side of the bot: who is let in, what is taken, and whether all is well."""

import asyncio
import socket
from collections.abc import Iterator

import httpx
import pytest
from botapi import SECRET_HEADER, BotApi
from conftest import settings_for
from doors import bot_over, settled
from pydantic import SecretStr

from bot import webhook
from bot.app import Program

SECRET = "a-secret_of-ours"


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi(webhook_attempts=50) as server:
        yield server


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


async def test_updates_come_in_by_webhook_and_only_with_the_secret(
    program: Program, api: BotApi
) -> None:
    where = free_address()
    url = f"http://{where}/telegram"
    given = {
        "telegram_webhook_url": url,
        "telegram_webhook_secret": SecretStr(SECRET),
        "listen": where,
    }
    async with bot_over(program, api, **given) as bot, httpx.AsyncClient() as http:
        assert api.calls_of("setWebhook")[-1].params["secret_token"] == SECRET
        assert not api.calls_of("getUpdates")
        ada = api.private(9801)
        ada.say("/privacy")
        await asyncio.to_thread(api.wait_sent, ada.chat_id, 1, 30.0)
        await settled(api, bot)
        update = api.update(api.updates[-1]["update_id"])
        for headers in ({}, {SECRET_HEADER: "wrong"}, {SECRET_HEADER: SECRET + "x"}):
            refused = await http.post(url, json=update, headers=headers)
            assert refused.status_code == 403
        let_in = {SECRET_HEADER: SECRET}
        assert (await http.post(url, json=update, headers=let_in)).status_code == 200
        for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"update_id": "x", "message": 3}'):
            assert (await http.post(url, content=body, headers=let_in)).status_code == 400
        # Refused it would come again and again, and hold up the others.
        unreadable = {"update_id": 5, "message": {"text": "x"}}
        assert (await http.post(url, json=unreadable, headers=let_in)).status_code == 200
        large = b'{"update_id": 1, "x": "' + b"a" * webhook.MOST_BYTES + b'"}'
        assert (await http.post(url, content=large, headers=let_in)).status_code == 413
        assert (await http.get(url)).status_code == 405
        for path in ("healthz", "readyz"):
            assert (await http.get(f"http://{where}/{path}")).status_code == 200
        await settled(api, bot)
    assert len(api.texts(ada.chat_id)) == 1


def half_a_request(secret: str) -> bytes:
    """An update by webhook that does not come whole."""
    head = f"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n{SECRET_HEADER}: {secret}"
    return f"{head}\r\n\r\n{{".encode()


async def test_a_request_that_does_not_come_whole_is_not_waited_for(
    program: Program,
    api: BotApi,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(webhook, "BODY_WITHIN_S", 0.2)
    where = free_address()
    host, _, port = where.partition(":")
    given = {
        "telegram_webhook_url": f"http://{where}/telegram",
        "telegram_webhook_secret": SecretStr(SECRET),
        "listen": where,
    }
    begun = half_a_request(SECRET)
    async with bot_over(program, api, **given):
        slow, gone = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
        for _, sending in (slow, gone):
            sending.write(begun)
        gone[1].close()
        assert (await asyncio.wait_for(slow[0].readline(), 10.0)).startswith(b"HTTP/1.1 408")
        slow[1].close()
    assert "Traceback" not in caplog.text


async def test_a_request_that_is_open_at_the_end_comes_again(
    program: Program,
    api: BotApi,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(webhook, "ANSWERED_WITHIN_S", 0)
    where = free_address()
    host, _, port = where.partition(":")
    given = {"telegram_webhook_url": f"http://{where}/telegram", "listen": where}
    secret = webhook.secret_of(settings_for(program.settings.data_dir, telegram_token=api.token))
    begun = half_a_request(secret)
    async with bot_over(program, api, **given):
        reading, writing = await asyncio.open_connection(host, int(port))
        writing.write(begun)
        await asyncio.sleep(0.1)
    assert (await asyncio.wait_for(reading.readline(), 5.0)).startswith(b"HTTP/1.1 503")
    writing.close()
    assert "Traceback" not in caplog.text


async def test_without_a_webhook_its_health_can_be_asked_and_nothing_sent(
    program: Program, api: BotApi
) -> None:
    where = free_address()
    async with bot_over(program, api, listen=where), httpx.AsyncClient() as http:
        assert (await http.get(f"http://{where}/readyz")).text == "ready"
        assert (await http.post(f"http://{where}/", json={})).status_code == 404


def test_the_secret_is_made_from_the_token_when_none_is_set(program: Program) -> None:
    given = {"telegram_token": SecretStr("123:TEST")}
    settings = program.settings.model_copy(update=given)
    made = webhook.secret_of(settings)
    assert made == webhook.secret_of(settings)
    assert "TEST" not in made
    other = program.settings.model_copy(update={"telegram_token": SecretStr("123:OTHER")})
    assert webhook.secret_of(other) != made
