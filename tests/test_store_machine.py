"""The store against a plain model of it, through whatever editors, admins and faults may do.

The model knows what the folder has, which texts each build on disk has, and which one is served.
"""

import asyncio
import signal
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from articles import (
    BODY,
    EMBEDDER,
    FORKS,
    NEW_AFTER,
    OLD_AFTER,
    TODAY,
    Shelf,
    article_file,
    reload_in_a_process,
    reload_killed_at,
)
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from store import index
from store.article import MOVES, Move, ServingRules, Status
from store.conversations import Database
from store.errors import ArticlesProblem, ReviewRefused, StoreProblem
from store.parse import parse_bytes
from store.reload import KEPT_BUILDS
from store.report import Report
from store.review import decide

SLUGS = ("aftercare", "scars", "veins", "warts", "zits")
PEOPLE = ("Dr A", "Dr B", "Dr C")
STILL_OUT = (Status.RETIRED, Status.WITHDRAWN, Status.SUBMITTED)
ENDS = (Move.SUBMIT, Move.START, Move.RETURN, Move.RETIRE, Move.WITHDRAW)
_T = TypeVar("_T")


@dataclass
class Doc:
    """An article of the folder."""

    text: int
    status: Status
    decisions: list[tuple[Move, str, int]] = field(default_factory=list)
    """What was decided, by whom, on which text."""
    broken: bool = False

    def approvers(self) -> set[str]:
        """Who has approved this very text since an approval was last ended."""
        found: set[str] = set()
        for move, by, text in reversed(self.decisions):
            if move in ENDS or text != self.text:
                break
            found.add(by)
        return found

    def stands(self, needed: int) -> Status:
        """Its status as it counts."""
        unproven = self.status is Status.APPROVED and len(self.approvers()) < needed
        return Status.UNDER_REVIEW if unproven else self.status


def written(slug: str, text: int) -> bytes:
    """Its file as its author hands it in."""
    body = BODY.replace("nine", str(text))
    return article_file(body, slug=slug, topic=slug.title(), status="submitted")


class Store(RuleBasedStateMachine):
    """Only approved articles are served, by one person's approval or by that of two."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.home = TemporaryDirectory()
        self.shelf = Shelf(Path(self.home.name))
        self.database: Database = self.run(self.shelf.database())
        self.needed = 2
        self.another_number_of_approvals()
        self.folder: dict[str, Doc] = {}
        self.texts = 0
        self.builds: dict[str, dict[str, int]] = {}
        """The builds on disk that were served, the oldest first, and what each has."""
        self.made_with: dict[str, int] = {}
        """How many approvals were needed when it was made."""
        self.order: list[str] = []
        """Every build that was ever served, in the order of their first time."""
        self.served: str | None = None
        self.previous: str | None = None
        self.damaged: set[str] = set()
        self.lines = 0
        self.out: set[str] = set()
        """What was out of service at the last reload, when that is what was served since."""
        self._texts: dict[str, dict[str, int]] = {}

    def run(self, doing: Awaitable[_T]) -> _T:
        return self.loop.run(doing)  # type: ignore[arg-type]  # they are coroutines

    def teardown(self) -> None:
        self.run(self.database.close())
        self.loop.close()
        self.home.cleanup()

    # ------------------------------------------------------------------ the folder

    @initialize()
    def three_are_approved(self) -> None:
        for slug in SLUGS[:3]:
            self.add(slug)
            self.decide(slug, Move.START, PEOPLE[0])
            self.decide(slug, Move.APPROVE, PEOPLE[0])

    def path(self, slug: str) -> Path:
        return self.shelf.articles / f"{slug}.md"

    @rule(slug=st.sampled_from(SLUGS))
    def add(self, slug: str) -> None:
        """An article as its author hands it in: a new one, or in place of what there is."""
        self.texts += 1
        self.path(slug).write_bytes(written(slug, self.texts))
        self.folder[slug] = Doc(self.texts, Status.SUBMITTED)

    @rule(slug=st.sampled_from(SLUGS))
    def edit(self, slug: str) -> None:
        """An edit of the text alone: the status and the reviews stay as they are written."""
        doc = self.folder.get(slug)
        if doc is None or doc.broken:
            return
        self.texts += 1
        path = self.path(slug)
        old, new = f"after {doc.text} days", f"after {self.texts} days"
        path.write_text(path.read_text().replace(old, new))
        doc.text = self.texts

    @precondition(lambda self: self.folder)
    @rule(data=st.data(), by=st.sampled_from(PEOPLE))
    def decide_something(self, data: st.DataObject, by: str) -> None:
        slug = data.draw(st.sampled_from(sorted(self.folder)))
        status = self.folder[slug].stands(self.needed)
        possible = [move for move in Move if status in MOVES[move][0]]
        self.decide(slug, data.draw(st.sampled_from([*possible, *possible, *Move])), by)

    @rule()
    def approve_all(self) -> None:
        """Whatever waits for a decision gets a good one."""
        for slug, doc in self.folder.items():
            if doc.broken or doc.stands(self.needed) in (Status.RETIRED, Status.WITHDRAWN):
                continue
            if doc.stands(self.needed) is Status.SUBMITTED:
                self.decide(slug, Move.START, PEOPLE[0])
            for by in PEOPLE:
                if doc.stands(self.needed) is Status.UNDER_REVIEW:
                    self.decide(slug, Move.APPROVE, by)

    def decide(self, slug: str, move: Move, by: str) -> None:
        doc = self.folder[slug]
        status = doc.stands(self.needed)
        again = move is Move.APPROVE and by in doc.approvers() and self.needed > 1
        again = again and len(doc.approvers()) < self.needed
        allowed = not doc.broken and status in MOVES[move][0] and not again
        before = self.path(slug).read_bytes()
        try:
            decided = decide(self.path(slug), move, by=by, at=TODAY, approvals=self.needed)
        except ReviewRefused:
            assert not allowed
            assert self.path(slug).read_bytes() == before
            return
        assert allowed
        doc.decisions.append((move, by, doc.text))
        enough = move is not Move.APPROVE or len(doc.approvers()) >= self.needed
        doc.status = MOVES[move][1] if enough else Status.UNDER_REVIEW
        assert decided.status is doc.stands(self.needed)

    @rule(slug=st.sampled_from(SLUGS))
    def delete(self, slug: str) -> None:
        if self.folder.pop(slug, None) is not None:
            self.path(slug).unlink()

    @rule(slug=st.sampled_from(SLUGS), harm=st.sampled_from([b"", b"\0", b"---\nslug: ["]))
    def break_the_file(self, slug: str, harm: bytes) -> None:
        if slug in self.folder:
            self.path(slug).write_bytes(harm)
            self.folder[slug].broken = True

    @rule()
    def another_number_of_approvals(self) -> None:
        self.needed = 3 - self.needed
        rules = ServingRules(serve_under_review=False, approvals=self.needed)
        self.shelf.recipe = replace(self.shelf.recipe, rules=rules)

    # ------------------------------------------------------------------ the store

    def chosen(self) -> dict[str, int]:
        """What a reload would serve of the folder."""
        return {
            slug: doc.text
            for slug, doc in self.folder.items()
            if not doc.broken and doc.stands(self.needed) is Status.APPROVED
        }

    def before(self) -> dict[str, int]:
        """What a reload compares with: what is served."""
        return self.builds[self.served] if self.served is not None else {}

    def is_refused(self) -> bool:
        """Whether so much would go that a reload needs force."""
        gone = set(self.before()) - set(self.chosen())
        return not self.chosen() or len(gone) * 2 > len(self.before())

    def cleaned(self) -> None:
        """What a reload leaves on disk."""
        kept = {*self.order[-KEPT_BUILDS:], self.served, self.previous}
        self.builds = {b: texts for b, texts in self.builds.items() if b in kept}

    def switched(self, build: str, texts: dict[str, int] | None = None) -> None:
        if texts is not None:
            self.builds[build] = texts
            self.made_with[build] = self.needed
            self.order.append(build)
        self.previous, self.served = self.served, build
        self.lines += 1

    @rule(force=st.booleans(), check=st.booleans())
    def reload(self, force: bool, check: bool) -> None:
        self.cleaned()
        reload = self.shelf.reload(self.database, check_only=check, force=force)
        if self.is_refused() and not force:
            with pytest.raises(ArticlesProblem):
                self.run(reload)
            return
        report: Report = self.run(reload)
        new, before = self.chosen(), self.before()
        assert set(report.added) == set(new) - set(before)
        assert set(report.removed) == set(before) - set(new)
        assert set(report.changed) == {s for s in before.keys() & new if before[s] != new[s]}
        broken = {s for s, doc in self.folder.items() if doc.broken}
        assert {f.slug for f in report.refused} == broken
        if check:
            assert report.build is None
            return
        assert report.build is not None and report.build not in self.order
        self.switched(report.build, new)
        self.cleaned()
        self.out = {s for s, d in self.folder.items() if d.stands(self.needed) in STILL_OUT}

    @precondition(lambda self: self.served is not None)
    @rule(
        moment=st.sampled_from([*OLD_AFTER, *NEW_AFTER, *NEW_AFTER]) | st.floats(0.02, 0.4),
    )
    def kill_a_reload(self, moment: str | float) -> None:
        """In another process, at a moment that has a name or at one that has none."""
        by_name = isinstance(moment, str)
        process: Any = FORKS.Process(
            target=reload_killed_at if by_name else reload_in_a_process,
            args=(self.shelf.folder, *([moment] if by_name else []), self.shelf.recipe),
        )
        process.start()
        process.join(60 if by_name else moment)
        process.kill()
        process.join()
        # One that nothing is new for does not embed, and a refused one does not get far.
        killed = process.exitcode == -signal.SIGKILL
        process.close()
        pointer = self.run(self.database.pointer())
        assert pointer is not None
        if pointer.build != self.served:
            assert not killed or not by_name or moment in NEW_AFTER
            assert not self.is_refused()
            self.switched(pointer.build, self.chosen())
            self.out = {s for s, d in self.folder.items() if d.stands(self.needed) in STILL_OUT}
        else:
            assert self.is_refused() or (killed and moment not in NEW_AFTER)
        # It was killed before it cleaned or after; what it left is rubbish until the next reload.
        on_disk = set(self.shelf.folders())
        self.builds = {b: texts for b, texts in self.builds.items() if b in on_disk}
        assert len(on_disk - set(self.order)) <= 1
        assert self.served in self.builds

    @precondition(lambda self: self.served is not None)
    @rule(data=st.data(), force=st.booleans())
    def roll_back(self, data: st.DataObject, force: bool) -> None:
        # Also what a killed reload has left.
        named = data.draw(st.none() | st.sampled_from(self.shelf.folders()))
        others = [b for b in self.builds if b != self.served]
        target = named or (self.previous if self.previous in others else max(others, default=None))
        texts = self.builds.get(target or "", {})
        revived = {
            slug
            for slug in texts
            if slug in self.folder
            and not self.folder[slug].broken
            and (
                self.folder[slug].stands(self.needed) in STILL_OUT
                or (
                    self.folder[slug].text == texts[slug]
                    and self.folder[slug].stands(self.needed) is not Status.APPROVED
                )
            )
        }
        going = self.shelf.roll_back(self.database, named, force=force)
        if target not in others:
            with pytest.raises(StoreProblem):
                self.run(going)
        elif not force and (revived or self.made_with[target] != self.needed):
            with pytest.raises(ArticlesProblem):
                self.run(going)
        else:
            report: Report = self.run(going)
            assert report.build == target is not None
            no_decision = ("deleted", "refused by the check")
            assert {s for s, why in report.revived if why not in no_decision} == revived
            self.switched(target)
            self.out = set()

    @precondition(lambda self: self.served is not None and len(self.builds) <= KEPT_BUILDS)
    @rule(name=st.sampled_from(["chroma/chroma.sqlite3", "vectors.npy", "lexical.npz", ""]))
    def damage_and_restore(self, name: str) -> None:
        """A file of the served build is spoilt, and the program starts."""
        assert self.served is not None
        path = self.shelf.builds / self.served / (name or "manifest.json")
        path.write_bytes(path.read_bytes()[:-50])
        with pytest.raises(StoreProblem):
            self.opened(self.served)
        old = self.served
        self.damaged.add(old)
        report: Report = self.run(self.shelf.restore(self.database))
        assert report.build is not None
        texts, rules = self.builds[old], self.made_with[old]
        self.switched(report.build, texts)
        self.made_with[report.build] = rules
        del self.builds[old]

    # ------------------------------------------------------------------ what always holds

    def opened(self, build: str) -> index.Build:
        found = index.open_build(self.shelf.builds, build, embedder=EMBEDDER)
        found.close()
        return found

    def texts_in(self, build: str) -> dict[str, int]:
        """What an article says, by slug; a build that was seen once never changes."""
        if build not in self._texts:
            articles = self.opened(build).articles
            self._texts[build] = {
                slug: int(a.sections[1].statements[0].text.split()[3])
                for slug, a in articles.items()
            }
        return self._texts[build]

    @invariant()
    def the_pointer_is_where_it_should_be(self) -> None:
        pointer = self.run(self.database.pointer())
        found = (pointer.build, pointer.previous) if pointer else (None, None)
        assert found == (self.served, self.previous)

    @invariant()
    def the_served_texts_are_those_of_the_model(self) -> None:
        if self.served is not None:
            assert self.texts_in(self.served) == self.builds[self.served]

    @invariant()
    def nothing_is_served_that_was_out_of_service_at_the_last_reload(self) -> None:
        if self.served is not None:
            assert not self.out & set(self.texts_in(self.served))

    @invariant()
    def every_article_counts_as_the_model_says(self) -> None:
        for slug, doc in self.folder.items():
            found = parse_bytes(self.path(slug).read_bytes(), self.path(slug)).article
            assert (found is None) is doc.broken
            if found is not None:
                assert found.effective_status(self.needed) is doc.stands(self.needed)

    @invariant()
    def every_kept_build_is_whole_and_none_is_more(self) -> None:
        on_disk = set(self.shelf.folders()) if self.shelf.builds.exists() else set()
        assert set(self.builds) <= on_disk
        assert len(on_disk) <= KEPT_BUILDS + 3  # served, the one before, what a kill has left
        for build, texts in self.builds.items():
            if build not in self.damaged:
                assert self.texts_in(build) == texts

    @invariant()
    def every_switch_is_in_the_audit(self) -> None:
        moves = [
            line
            for line in self.run(self.database.audit_entries(limit=10_000))
            if line.action in ("reload", "rollback", "restore")
        ]
        assert len(moves) == self.lines
        if moves:
            assert moves[0].detail["build"] == self.served


TestStore = Store.TestCase
TestStore.settings = settings(
    phases=[Phase.generate],  # to shrink a failure takes minutes
    max_examples=14,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_a_process_that_is_killed_at_a_moment_does_not_outlive_it(tmp_path: Path) -> None:
    """The machine counts on it."""
    Shelf(tmp_path).put("aftercare")
    for moment in (*OLD_AFTER, *NEW_AFTER):
        process = FORKS.Process(target=reload_killed_at, args=(tmp_path, moment))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, moment
