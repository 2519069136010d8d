"""The bot under load, beside a minimal one: answers a second, waiting times, CPU and memory.

    python -m benchmarks.telegram [--people 1 20 200] [--questions 3] [--flood] [--out FILE]

Both run as processes of their own against the Bot API server of the tests, on loopback. Each person
asks the next question when the last one is answered. CPU is that of the bot's process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOKEN = "123:BENCHMARK"
QUESTIONS = (
    "Does topical timolol work for infantile hemangioma?",
    "and ECG screening?",
    "What dose of propranolol and for how long in infantile hemangioma?",
    "and bleomycin?",
    "are injected exosomes safe?",
)
LONGEST_S = 600.0
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measures both bots and prints a table."""
    sys.path.insert(0, str(ROOT / "tests"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 20, 200])
    parser.add_argument("--questions", type=int, default=3)
    parser.add_argument("--flood", action="store_true", help="with the limits of Telegram on")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for people in given.people:
            for bot in ("corollary", "minimal"):
                row = measure(bot, people, given.questions, given.flood, Path(folder))
                rows.append(row)
                print(json.dumps(row), flush=True)
    if given.out:
        given.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def measure(bot: str, people: int, questions: int, flood: bool, data: Path) -> dict[str, Any]:
    """One bot with so many people."""
    botapi = import_module("botapi")
    command = {
        "corollary": [sys.executable, "-m", "bot", "telegram"],
        "minimal": [sys.executable, "-m", "benchmarks.telegram_peer"],
    }[bot]
    with botapi.BotApi(TOKEN, flood=botapi.Flood() if flood else None) as api:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COROLLARY_DATA_DIR": str(data),
            "COROLLARY_ACCESS": "open",
            "COROLLARY_TELEGRAM_TOKEN": TOKEN,
            "COROLLARY_TELEGRAM_BASE_URL": api.base_url,
        }
        first = 1_000_000 + int(time.time()) % 100_000 * 1000
        crowd = [api.private(first + n) for n in range(people)]
        with subprocess.Popen(
            command, env=environment, cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                warm = api.private(999_999)
                warm.say(QUESTIONS[0])
                api.wait_sent(warm.chat_id, 1, 120.0)
                # Menus and the like are set beside the first answers.
                time.sleep(2.0)
                cpu = cpu_s(process.pid)
                waits, took = ask(api, crowd, questions)
                cpu = cpu_s(process.pid) - cpu
                memory = peak_mib(process.pid)
            finally:
                process.terminate()
    waits.sort()
    got = len(waits)
    return {
        "bot": bot,
        "people": people,
        "flood": flood,
        "asked": people * questions,
        "answered": got,
        "answers_per_s": round(got / took, 1),
        "p50_s": round(statistics.median(waits), 3) if waits else None,
        "p95_s": round(waits[int(0.95 * (got - 1))], 3) if waits else None,
        "cpu_ms_per_answer": round(1000 * cpu / max(got, 1), 1),
        "peak_mib": memory,
    }


def ask(api: Any, crowd: list[Any], questions: int) -> tuple[list[float], float]:
    """How long each answer took, and how long all of it."""
    asked_at: dict[int, float] = {}
    left = {p.chat_id: questions for p in crowd}
    people = {p.chat_id: p for p in crowd}
    waits: list[float] = []
    began = time.monotonic()
    seen = len(api.sent)

    def next_question(chat_id: int) -> None:
        left[chat_id] -= 1
        asked_at[chat_id] = time.monotonic()
        people[chat_id].say(QUESTIONS[(questions - left[chat_id] - 1) % len(QUESTIONS)])

    for person in crowd:
        next_question(person.chat_id)
    while len(waits) < questions * len(crowd) and time.monotonic() - began < LONGEST_S:
        fresh, seen = api.sent[seen:], len(api.sent)
        for sent in fresh:
            if sent.chat_id not in asked_at:
                continue  # The second part of a long answer.
            waits.append(sent.at_monotonic_s - asked_at.pop(sent.chat_id))
            if left[sent.chat_id]:
                next_question(sent.chat_id)
        # The minimal bot loses replies: nobody waits for those for ever.
        late = asked_at and not fresh and time.monotonic() - max(asked_at.values()) > 30
        if late:
            break
        time.sleep(0.005)
    return waits, time.monotonic() - began


def cpu_s(pid: int) -> float:
    """Seconds of processor that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(pid: int) -> int:
    """The most memory it has had, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


if __name__ == "__main__":
    main()
