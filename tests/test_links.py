"""Links that open an article, their QR codes, and leafing through the articles."""

from dataclasses import replace
from pathlib import Path

import pytest
from doors import InProcess

from bot import commands, links
from bot.app import Program
from bot.commands import Person
from bot.render import Message, plain
from chains.assistant import Assistant
from store.article import Article
from store.errors import SettingsProblem

WHO = Person("links", "links")


def test_a_link_leads_to_its_article_and_nothing_else_does() -> None:
    for slug in ("pdl-exosomes", "a", "x" * 62, "a_b-c9"):
        link = links.link_to("@your_bot", slug)
        payload = link.removeprefix("https://t.me/your_bot?start=")
        assert len(payload) <= 64
        assert links.slug_in(payload) == slug
    for slug in ("x" * 63, "a/b", "ä", "a b", "a&b=c"):
        with pytest.raises(SettingsProblem):
            links.link_to("@your_bot", slug)
    for bot in ("", "@a", "x/y", "bot name", "@" + "x" * 33):
        with pytest.raises(SettingsProblem):
            links.link_to(bot, "a")
    for payload in ("", "a_", "b_x", "x", "a_../../etc", "a_<b>", "a_" + "x" * 63, "a_é", "a_x y"):
        assert links.slug_in(payload) is None


async def test_a_payload_that_opens_nothing_greets_all_the_same(program: Program) -> None:
    for payload in ("a_../../etc/passwd", "<script>", "a_" + "x" * 100, "code-2026", "a_"):
        told = await commands.run(program, WHO, "start", payload)
        assert "Follow-up questions, answered word for word" in plain(told, "D.")


def test_a_code_is_drawn_and_written(tmp_path: Path) -> None:
    link = links.link_to("your_bot", "pdl-exosomes")
    assert len(links.drawn(link).splitlines()) > 10
    for name, begins in (("c.svg", b"<?xml"), ("c.png", b"\x89PNG")):
        links.save(link, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)
    for bad in (tmp_path / "c.gif", tmp_path / "no" / "c.svg"):
        with pytest.raises(SettingsProblem):
            links.save(link, bad)


def test_the_command_prints_the_link(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    corollary = InProcess(monkeypatch, capsys, data_folder)
    ran = corollary("articles", "link", "pdl-exosomes", "--bot", "@your_bot")
    assert ran.code == 0
    assert ran.out.startswith("https://t.me/your_bot?start=a_pdl-exosomes\n")
    assert corollary("articles", "link", "no-such", "--bot", "@your_bot").code != 0
    without = corollary("articles", "link", "pdl-exosomes")
    assert without.code == 2 and "COROLLARY_TELEGRAM_TOKEN" in without.told()


class Many(Assistant):
    """The assistant over more articles than fit on a page."""

    def __init__(self, inner: Assistant, found: list[Article]) -> None:
        vars(self).update(vars(inner))
        self.found = found

    async def articles(self) -> list[Article]:
        return self.found


async def test_articles_are_leafed_through_and_searched(program: Program) -> None:
    (first, *_) = await program.assistant.articles()
    found = [replace(first, slug=f"s{i:02}", topic=f"Topic {i:02} keloid") for i in range(30)]
    whole = replace(program, assistant=Many(program.assistant, found))

    def slugs(told: Message) -> list[str]:
        return [b.data[6:] for b in told.buttons if b.data.startswith("topic:")]

    told = await commands.run(whole, WHO, "articles", "KELOID")
    seen = slugs(told)
    for page in ("Page 2 of 3.", "Page 3 of 3."):
        (leaf,) = [b.data for b in told.buttons if b.text == "›"]
        told = await commands.pressed(whole, WHO, leaf)
        assert page in plain(told, "D.")
        seen += slugs(told)
    assert seen == [a.slug for a in found]
    assert not [b for b in told.buttons if b.text == "›"]
    (leaf,) = [b.data for b in told.buttons if b.text == "‹"]
    assert slugs(await commands.pressed(whole, WHO, leaf)) == seen[12:24]
    assert "No article matches" in plain(await commands.run(whole, WHO, "articles", "zzz"), "D.")
    for forged in ("list:99999:", "list:x:", "list:-1:", "list:", "list:0:zzz"):
        assert plain(await commands.pressed(whole, WHO, forged), "D.")
