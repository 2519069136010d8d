"""The editor's walk-through, run as it is written."""

import re
from pathlib import Path

from tools.make_walkthrough import PAGE, run, steady


def test_every_command_of_the_walk_through_prints_what_the_page_says(tmp_path: Path) -> None:
    written = PAGE.read_text(encoding="utf-8")
    done = run(written, tmp_path.resolve())
    assert steady(done) == steady(written)
    # What the page promises in words.
    assert "Traceback" not in done
    assert re.search(r"approve .*\n.*under review to approved", done)
    assert "is not the one that was approved" in done
    assert "was shown to 1 person" in done
    assert '"caution": null' in done
