"""The numbers that `benchmarks/fit.py` learnt, by the names of what they weigh."""

import json
from pathlib import Path

LEARNED: dict[str, dict[str, float]] = json.loads(
    Path(__file__).with_name("learned.json").read_text(encoding="utf-8")
)
