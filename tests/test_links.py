"""Links that open an article, their QR codes, and leafing through the articles."""

from dataclasses import replace
from pathlib import Path

import pytest
from doors import InProcess

from bot import commands, links
from bot.app import Program
from bot.commands import Person
from bot.render import MAX_BUTTON_CHARS, Message, plain
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
        text = plain(told, "D.")
        assert "Follow-up questions, answered word for word" in text
        damaged = payload.startswith("a_")
        assert text.startswith("That link opens no article." if damaged else "Corollary")
    told = await commands.run(program, WHO, "start", "a_long-gone")
    text = plain(told, "D.")
    assert text.startswith("There is no article “long-gone” here.")
    assert "Follow-up questions, answered word for word" in text


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
    whole = replace(program, assistant=Many(program.assistant, found[::-1]))

    def slugs(told: Message) -> list[str]:
        return [b.data[6:] for b in told.buttons if b.data.startswith("topic:")]

    told = await commands.run(whole, WHO, "articles", "KELOID")
    seen = slugs(told)
    for page in ("Page 2 of 3.", "Page 3 of 3."):
        (leaf,) = [b.data for b in told.buttons if b.text == "›"]
        told = await commands.pressed(whole, WHO, leaf)
        assert page in plain(told, "D.")
        seen += slugs(told)
    assert seen == [a.slug for a in found], "by topic, which is what is listed"
    assert not [b for b in told.buttons if b.text == "›"]
    (leaf,) = [b.data for b in told.buttons if b.text == "‹"]
    assert slugs(await commands.pressed(whole, WHO, leaf)) == seen[12:24]
    assert "No article matches" in plain(await commands.run(whole, WHO, "articles", "zzz"), "D.")
    again = await commands.run(whole, WHO, "articles", "keloid " * 20)
    assert [b.data for b in again.buttons if b.text == "›"] == ["list:1:keloid"]
    for forged in ("list:99999:", "list:x:", "list:-1:", "list:", "list:0:zzz"):
        assert plain(await commands.pressed(whole, WHO, forged), "D.")


async def test_articles_are_found_however_a_word_is_written(program: Program) -> None:
    (first, *_) = await program.assistant.articles()
    long = "Fractional CO2 laser, botulinum toxin and exosomes for scars"
    whole = replace(
        program, assistant=Many(program.assistant, [replace(first, slug="co2", topic=long)])
    )
    for wanted in ("CO₂", "“botulinum toxin”", '"scars"', "ＣＯ２ SCARS"):
        told = await commands.run(whole, WHO, "articles", wanted)
        assert [b.data for b in told.buttons] == ["topic:co2"], wanted
    (button,) = told.buttons
    assert len(button.text) <= MAX_BUTTON_CHARS and button.text.endswith("…")


async def test_an_article_is_shown_in_whole_sentences(program: Program) -> None:
    card = plain(await commands.run(program, WHO, "article", "pdl-exosomes"), "D.")
    assert "Awaiting human review. Sample, not clinically reviewed.\n" in card
    page = plain(commands.page(await program.assistant.article("pdl-exosomes")), "D.")
    assert " et al. " in page and ".." not in page
