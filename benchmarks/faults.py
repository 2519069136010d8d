"""The bot while the server fails, and when it is killed: what is lost, twice, or out of order.

    python -m benchmarks.faults [--faults 200] [--kills 20] [--out FILE]

Faults: so many sends of answers fail, each in one of nine ways. A chat that must wait (429, or a
server that hangs) and another that asks meanwhile: how much later the other is answered than
without. Kills: twenty questions wait, the process is killed with -9 while it answers them and is
started again, so many times by long polling and by webhook.
"""

import argparse
import json
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.telegram import TOKEN, botapi, machine, running

ARTICLE = "/article infantile-hemangioma"
QUICK = ("and ECG screening?", "and timolol?", "and bleomycin?", "and propranolol?")
READ_AS = re.compile(r"^Read as: (.*?) — Infantile hemangioma", re.MULTILINE)
PEOPLE = 5
LONGEST_S = 120.0


def main() -> None:
    """Measures all of it and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    command = f"python -m benchmarks.faults {' '.join(sys.argv[1:])}".strip()
    found: dict[str, Any] = {"command": command, **machine()}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        found["faults"] = faults(data, given.faults)
        found["another chat waits"] = {
            "429 of 3 s": delays(data, botapi().RetryAfter(3)),
            "the server hangs for 3 s": delays(data, botapi().Hang(3.0)),
        }
        for mode in ("polling", "webhook"):
            found[f"kills, {mode}"] = kills(data, mode, given.kills)
            print(json.dumps(found[f"kills, {mode}"]), flush=True)
    print(json.dumps(found, indent=1))
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def faults(data: Path, number: int) -> dict[str, Any]:
    """So many faults over as many questions."""
    server = botapi()
    kinds = [
        server.RetryAfter(1),
        server.Status(500, "Internal Server Error"),
        server.HtmlError(502),
        server.ResetBefore(),
        server.ResetAfter(),
        server.Hang(2.0),
        server.Garbage(),
        server.Garbage(handled=True),
        server.Status(404, "Not Found"),
    ]
    with server.BotApi(TOKEN) as api:
        people = _people(api, number // len(QUICK))
        with running("corollary", api, data):
            _opened(api, people)
            for n in range(number):
                api.fail_next("sendMessage", kinds[n % len(kinds)])
            for question in QUICK:
                for person in people:
                    person.say(question)
            ended = _until(lambda: all(len(set(_read(api, p))) == len(QUICK) for p in people))
            left = api.faults_left
        told = _told(api, people)
    return {"faults": number - left, "questions": len(people) * len(QUICK), **told, "ended": ended}


def delays(data: Path, fault: Any, rounds: int = 10) -> dict[str, Any]:
    """How long an answer takes without a fault, and while another chat waits because of one."""
    alone, beside = [], []
    with botapi().BotApi(TOKEN) as api:
        slow, quick = _people(api, 2)
        with running("corollary", api, data):
            _opened(api, [slow, quick])
            for n in range(rounds):
                alone.append(_wait(api, quick, QUICK[n % 4]))
                # Neither chat is held to a message a second.
                time.sleep(1.0)
                before = len(api.calls_of("sendMessage"))
                api.fail_next("sendMessage", fault, chat_id=slow.chat_id)
                answered = len(api.sent_to(slow.chat_id))
                slow.say(QUICK[n % 4])
                api.wait_calls("sendMessage", before + 1, 10.0)
                beside.append(_wait(api, quick, QUICK[(n + 1) % 4]))
                api.wait_sent(slow.chat_id, answered + 1, 20.0)
                time.sleep(1.0)
    later = [b - a for a, b in zip(alone, beside, strict=True)]
    return {
        "rounds": rounds,
        "alone_s": round(statistics.median(alone), 3),
        "beside_s": round(statistics.median(beside), 3),
        "later_s": {"median": round(statistics.median(later), 3), "most": round(max(later), 3)},
    }


def kills(data: Path, mode: str, rounds: int) -> dict[str, Any]:
    """So many kills, each with twenty questions waiting."""
    chance = random.Random(mode)
    found: Counter[str] = Counter()
    most_twice = 0
    for _ in range(rounds):
        settings = _webhook() if mode == "webhook" else {}
        told = kill(data, settings, chance)
        found.update(told)
        most_twice = max(most_twice, told["twice"])
    return {"kills": rounds, **found, "twice, most in a kill": most_twice}


def kill(data: Path, settings: dict[str, str], chance: random.Random) -> dict[str, int]:
    """One kill, at some moment while twenty questions are answered."""
    enough = chance.randrange(PEOPLE * len(QUICK))
    with botapi().BotApi(TOKEN, webhook_attempts=1000) as api:
        people = _people(api, PEOPLE)
        with _killed(api, data, settings):
            _opened(api, people)
            for question in QUICK:
                for person in people:
                    person.say(question)
            _until(lambda: sum(len(_read(api, p)) for p in people) >= enough)
            time.sleep(chance.random() * 0.05)
        with running("corollary", api, data, **settings):
            _until(lambda: all(len(set(_read(api, p))) == len(QUICK) for p in people))
            # What would come twice comes now.
            time.sleep(0.5)
        return _told(api, people)


@contextmanager
def _killed(api: Any, data: Path, settings: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A running bot that is killed when it is left."""
    with running("corollary", api, data, **settings) as process:
        yield process
        process.kill()


def _people(api: Any, number: int) -> list[Any]:
    """People whom the bot has not met."""
    return [api.private(next(_ids)) for _ in range(number)]


_ids = count(2_000_000)


def _webhook() -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        where = f"127.0.0.1:{free.getsockname()[1]}"
    return {"TELEGRAM_WEBHOOK_URL": f"http://{where}/telegram", "LISTEN": where}


def _opened(api: Any, people: list[Any]) -> None:
    """Everybody has opened the article."""
    for person in people:
        person.say(ARTICLE)
    for person in people:
        api.wait_sent(person.chat_id, 1, LONGEST_S)


def _until(seen: Any) -> bool:
    """Whether it was seen in time."""
    deadline = time.monotonic() + LONGEST_S
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _wait(api: Any, person: Any, question: str) -> float:
    """How long the answer to a question takes."""
    before = len(api.sent_to(person.chat_id))
    asked_at = time.monotonic()
    person.say(question)
    sent = api.wait_sent(person.chat_id, before + 1, 20.0)[before]
    return float(sent.at_monotonic_s - asked_at)


def _read(api: Any, person: Any) -> list[str]:
    """What each of their questions was read as, in the order of the replies."""
    return [m[1] for text in api.texts(person.chat_id) if (m := READ_AS.search(text))]


def _told(api: Any, people: list[Any]) -> dict[str, int]:
    """How many answers are missing, came twice, or came before an earlier one."""
    asked = [q.removeprefix("and ").rstrip("?") for q in QUICK]
    lost = twice = misordered = 0
    for person in people:
        read = _read(api, person)
        firsts = list(dict.fromkeys(read))
        lost += len(set(asked) - set(firsts))
        twice += len(read) - len(firsts)
        misordered += firsts != [q for q in asked if q in firsts]
    return {"lost": lost, "twice": twice, "misordered": misordered}


if __name__ == "__main__":
    main()
