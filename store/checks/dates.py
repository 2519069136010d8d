"""Days that cannot be, and reviews that are due."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from store.article import Article, Status
from store.checks.problem import Lines, Problem, place

_CLOCK_STARTS = date(2026, 11, 22)
"""A clock that shows an earlier day is wrong: a dead battery must not refuse every article."""


def utc_today() -> date:
    """Today's date in UTC."""
    return max(datetime.now(UTC).date(), _CLOCK_STARTS)


def dates(article: Article, lines: Lines, today: date) -> Iterator[Problem]:
    """Days that cannot be, and reviews that are due. The day has begun somewhere already."""
    dated = [(article.updated, place(lines, "updated"))]
    dated += [(r.at, place(lines, "reviews", i, "at")) for i, r in enumerate(article.reviews)]
    for day, where in dated:
        if (day - today).days > 1:
            said = f"{day} is in the future (today is {today}, UTC); correct the date"
            yield Problem("error", "future_date", said, *where)
    due, status = place(lines, "review_by"), place(lines, "status")
    ended = article.status in {Status.RETIRED, Status.WITHDRAWN}
    if article.review_by is not None and not ended:
        if article.review_by < today:
            said = f"was to be reviewed by {article.review_by}; review it and set a later date"
            yield Problem("warning", "review_overdue", said, *due)
        if article.review_by < article.updated:
            said = (
                f"`review_by` {article.review_by} is before `updated` {article.updated}; "
                "set the date of the next review"
            )
            yield Problem("warning", "review_by_before_updated", said, *due)
    if article.status is not Status.APPROVED:
        return
    if article.review_by is None:
        said = (
            "approved without `review_by`, so it never falls due; set the date of the next review"
        )
        yield Problem("warning", "no_review_date", said, *status)
    if article.effective_status() is not Status.APPROVED:
        said = (
            "no review that still holds approves this text, so it falls back to under review; "
            f"have it approved as {article.sha256()[:12]}…"
        )
        yield Problem("warning", "approval_of_another_text", said, *status)
