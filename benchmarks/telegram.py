"""The bot under load, beside a minimal one: answers a second, waiting times, CPU and memory.

    python -m benchmarks.telegram [--people 1 20 200] [--flood] [--once] [--out FILE]

Both run as processes of their own against the Bot API server of the tests, on loopback, one after
the other. Each person has opened an article and asks the questions of its probes: the next one when
the last is answered, and no sooner than a person can, so that both bots are asked as often where
they keep up. CPU is that of the bot's process alone, all threads of it; neither the server
nor the people are in it. With --flood, once more with the limits of Telegram on; with --once, also
by a person for each article who ask every question once: each is one that nobody asked before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from store.parse import parse_file
from store.reload import SAMPLES

ROOT = Path(__file__).parents[1]
TOKEN = "123:BENCHMARK"
MOST, FEWEST_EACH, MOST_EACH = 600, 3, 30
"""Questions in a run, and of one person."""
THINKS_S = 1.2
"""From a question to the next one of the same person, at least: Telegram lets a bot send a message
a second to a chat."""
LONGEST_S, LOST_AFTER_S = 300.0, 20.0
"""A run is broken off after the one, and when nothing was answered for the other."""
BOTS = {
    "corollary": [sys.executable, "-m", "bot", "telegram"],
    "minimal": [sys.executable, "-m", "benchmarks.telegram_peer"],
}


def main() -> None:
    """Measures both bots and prints a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 20, 200])
    parser.add_argument("--flood", action="store_true", help="also with the limits of Telegram on")
    parser.add_argument("--once", action="store_true", help="also with every question asked once")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    command = f"python -m benchmarks.telegram {' '.join(sys.argv[1:])}".strip()
    found: dict[str, Any] = {"command": command, **machine()}
    rows = []
    runs = [
        (people, flood, False)
        for flood in ([False, True] if given.flood else [False])
        for people in given.people
    ]
    if given.once:
        runs.append((len(PROBES), False, True))
    with tempfile.TemporaryDirectory() as folder:
        for people, flood, once in runs:
            pair = [measure(bot, people, flood, once, Path(folder)) for bot in BOTS]
            rows += [*pair, ratios(*pair)]
            for row in rows[-3:]:
                print(json.dumps(row), flush=True)
    if given.out:
        told = json.dumps({**found, "rows": rows}, indent=1)
        given.out.write_text(f"{told}\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What it is measured on, and how busy that is before."""
    return {"cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 2)}


def botapi() -> Any:
    """The Bot API server of the tests."""
    if str(ROOT / "tests") not in sys.path:
        sys.path.insert(0, str(ROOT / "tests"))
    return import_module("botapi")


@contextmanager
def running(bot: str, api: Any, data: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A bot as a process of its own, told to end when it is left; killed when it does not."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COROLLARY_DATA_DIR": str(data),
        "COROLLARY_ACCESS": "open",
        "COROLLARY_TELEGRAM_TOKEN": TOKEN,
        "COROLLARY_TELEGRAM_BASE_URL": api.base_url,
        **{f"COROLLARY_{name}": value for name, value in settings.items()},
    }
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(BOTS[bot], env=environment, cwd=data, stdout=quiet, stderr=quiet)
    try:
        yield process
        process.terminate()
        process.wait(30.0)
    finally:
        process.kill()
        process.wait()


def measure(bot: str, people: int, flood: bool, once: bool, data: Path) -> dict[str, Any]:
    """One bot with so many people."""
    server = botapi()
    each = min(MOST_EACH, max(FEWEST_EACH, MOST // people))
    if once:
        each = min(len(questions) for _, questions in PROBES)
    with server.BotApi(TOKEN, flood=server.Flood() if flood else None) as api:
        first = 1_000_000 + int(time.time()) % 100_000 * 1000
        crowd = [Reader(api.private(first + n), n) for n in range(people)]
        with running(bot, api, data) as process:
            crowd[0].open_article()
            api.wait_sent(crowd[0].person.chat_id, 1, 120.0)
            for reader in crowd[1:]:
                reader.open_article()
                # No faster than the limits allow: the minimal bot would lose these already.
                time.sleep(0.05)
            _until_quiet(api)
            # Menus and the like are set beside the first answers; a burst is paid back.
            time.sleep(4.0)
            cpu, calls = cpu_s(process.pid), len(api.calls)
            waits, took = ask(api, crowd, each)
            cpu = cpu_s(process.pid) - cpu
            made = [c for c in api.calls[calls:] if c.method != "getUpdates"]
            peak = memory_mib(process.pid, "VmHWM")
    waits.sort()
    # Whoever is not answered asks no more.
    asked, got = sum(reader.asked for reader in crowd), len(waits)
    return {
        "bot": bot,
        "people": people,
        "flood": flood,
        "once": once,
        "asked": asked,
        "lost": asked - got,
        "answers_per_s": round(got / took, 1),
        "p50_s": round(statistics.median(waits), 3) if waits else None,
        "p95_s": round(waits[int(0.95 * (got - 1))], 3) if waits else None,
        "cpu_ms_per_answer": round(1000 * cpu / max(got, 1), 1),
        "peak_mib": peak,
        "calls_per_answer": round(len(made) / max(got, 1), 2),
        "too_many_requests": sum(not c.ok and "Too Many" in str(c.result) for c in made),
    }


def _until_quiet(api: Any) -> None:
    """Returns when nothing was sent for two seconds."""
    seen, since = len(api.sent), time.monotonic()
    while time.monotonic() - since < 2.0:
        time.sleep(0.1)
        if len(api.sent) != seen:
            seen, since = len(api.sent), time.monotonic()


def ratios(ours: dict[str, Any], minimal: dict[str, Any]) -> dict[str, Any]:
    """What ours takes, in parts of the minimal bot's."""
    names = ("answers_per_s", "p50_s", "p95_s", "cpu_ms_per_answer", "peak_mib")
    told = {n: round(ours[n] / minimal[n], 2) for n in names if ours[n] and minimal[n]}
    same = {n: ours[n] for n in ("people", "flood", "once")}
    return {"bot": "ratio", **same, **told}


class Reader:
    """Somebody who has come from an article and asks what its probes ask."""

    def __init__(self, person: Any, number: int) -> None:
        self.person = person
        self.asked_at = 0.0
        self._slug, questions = PROBES[number % len(PROBES)]
        # Who reads the same article begins elsewhere in it.
        turn = number // len(PROBES) % len(questions)
        self._questions = questions[turn:] + questions[:turn]
        self.asked = 0

    def open_article(self) -> None:
        self.person.say(f"/article {self._slug}")

    def ask(self) -> None:
        self.asked_at = time.monotonic()
        self.person.say(self._questions[self.asked % len(self._questions)])
        self.asked += 1


def probes() -> list[tuple[str, list[str]]]:
    """The questions of each sample article's probes, those to be refused too."""
    found = []
    for path in sorted(SAMPLES.glob("*.md")):
        article = parse_file(path).article
        assert article is not None, f"{path.name} is refused"
        asked = [q for p in article.answerable for q in (p.question, *p.paraphrases)]
        found.append((article.slug, [*asked, *(p.question for p in article.unanswerable)]))
    return found


PROBES = probes()


def ask(api: Any, crowd: list[Reader], each: int) -> tuple[list[float], float]:
    """How long each answer took, and how long all of it."""
    readers = {reader.person.chat_id: reader for reader in crowd}
    left = dict.fromkeys(readers, each)
    waits: list[float] = []
    seen = len(api.sent)
    began = last = time.monotonic()
    ready = deque(crowd)
    for n, reader in enumerate(crowd):
        # They do not all begin at once.
        reader.asked_at = began - THINKS_S * (1 - n / len(crowd))
    while any(left.values()) and time.monotonic() - began < LONGEST_S:
        sent = api.sent
        for message in sent[seen:]:
            if not left[message.chat_id]:
                continue
            last = message.at_monotonic_s
            waits.append(last - readers[message.chat_id].asked_at)
            left[message.chat_id] -= 1
            if left[message.chat_id]:
                ready.append(readers[message.chat_id])
        seen = len(sent)
        now = time.monotonic()
        for _ in range(len(ready)):
            reader = ready.popleft()
            if now - reader.asked_at >= THINKS_S:
                reader.ask()
            else:
                ready.append(reader)
        # The minimal bot loses replies: nobody waits for those for ever.
        if now - last > LOST_AFTER_S:
            break
        time.sleep(0.005)
    return waits, last - began


def cpu_s(pid: int) -> float:
    """Seconds of processor that the process has used, by the clock of its own that Linux keeps for
    it: counted in ticks, thirty answers would be known to a third of a millisecond."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_mib(pid: int, which: str) -> int:
    """Memory of the process, as /proc/PID/status names it, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1]) // 1024
    return 0


if __name__ == "__main__":
    main()
