"""Quotes shown to people, what still stands, daily claims, and an audit that only grows."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)
_BATCH = 500
"""Turns read at a time; an answer has some ten thousand characters."""
_LONGEST_SLUG = 60

_GUARDS = {
    "sqlite": (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
        # INSERT OR REPLACE deletes the row it replaces without a word to the trigger above.
        "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "
        "WHEN NEW.id IN (SELECT id FROM audit) "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
    ),
}
_UNGUARDS = {
    "sqlite": (
        "DROP TRIGGER audit_no_update",
        "DROP TRIGGER audit_no_delete",
        "DROP TRIGGER audit_no_replace",
    ),
    "postgresql": (
        "DROP TRIGGER audit_is_append_only ON audit",
        "DROP FUNCTION audit_is_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "quoted",
        sa.Column("turn_id", sa.Integer, nullable=False),
        sa.Column("article", sa.String(60), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("withdrawn_at", _TIME),
        sa.Column("withdrawn_build", sa.String(40)),
        sa.Column("claimed_at", _TIME),
        sa.Column("told_at", _TIME),
        sa.PrimaryKeyConstraint("turn_id", "article", "digest", name="pk_quoted"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_quoted_turn_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "standing",
        sa.Column("article", sa.String(60), nullable=False),
        sa.Column("digests", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("article", name="pk_standing"),
    )
    op.create_table(
        "claims",
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("claimed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("what", "day", name="pk_claims"),
    )
    connection = op.get_bind()
    _quote_again(connection)
    # After the rows are in: making an index once is quicker than growing it.
    op.create_index("ix_quoted_article_digest", "quoted", ["article", "digest"])
    untold = sa.text("withdrawn_at IS NOT NULL AND told_at IS NULL")
    op.create_index(
        "ix_quoted_untold", "quoted", ["turn_id"], sqlite_where=untold, postgresql_where=untold
    )
    op.create_index("ix_audit_article", "audit", ["article"])
    for statement in _GUARDS[connection.dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in _UNGUARDS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index("ix_audit_article", "audit")
    for table in ("claims", "standing", "quoted"):
        op.drop_table(table)


def _quote_again(connection: sa.Connection) -> None:
    """Writes down what the turns that are already stored have quoted."""
    turns = sa.table("turns", sa.column("id"), sa.column("answer"))
    # As text: one answer that is no JSON must not stop the rest.
    answer = sa.cast(turns.c.answer, sa.Text).label("answer")
    quoted = sa.table("quoted", *(sa.column(n) for n in ("turn_id", "article", "digest", "text")))
    last = 0
    while True:
        query = sa.select(turns.c.id, answer).where(turns.c.id > last).order_by(turns.c.id)
        found = connection.execute(query.limit(_BATCH)).all()
        if not found:
            return
        last = found[-1].id
        rows = {
            (turn.id, article, digest): text
            for turn in found
            for article, digest, text in _quotes(turn.answer)
        }
        if rows:
            connection.execute(
                quoted.insert(),
                [
                    {"turn_id": turn, "article": article, "digest": digest, "text": text}
                    for (turn, article, digest), text in rows.items()
                ],
            )


def _quotes(stored: Any) -> Iterator[tuple[str, str, str]]:
    """(article, digest, text) of every quote of a stored answer; what is odd is passed over."""
    try:
        answer = json.loads(stored)
    except (TypeError, ValueError, RecursionError):
        return
    if not isinstance(answer, dict):
        return
    # PMID, else DOI, else key: what makes two references one source.
    keys = {
        source["n"]: str(source.get("pmid") or source.get("doi") or source["key"])
        for source in _dicts(answer.get("sources"))
        if isinstance(source.get("n"), int) and isinstance(source.get("key"), str)
    }
    for section in _dicts(answer.get("sections")):
        for statement in _dicts(section.get("statements")):
            text, article = statement.get("text"), statement.get("article")
            cited = statement.get("citations")
            if not (isinstance(text, str) and isinstance(article, str) and isinstance(cited, list)):
                continue
            # A digest over fewer sources than it had would look like a statement that fell.
            if not all(isinstance(n, int) and n in keys for n in cited):
                continue
            if not text or not 0 < len(article) <= _LONGEST_SLUG or "\0" in text + article:
                continue
            try:
                article.encode()
                # As `quote_digest` makes it; not imported, since it may change and this may not.
                parts = [text, *sorted({keys[n] for n in cited})]
                yield article, hashlib.sha256("\0".join(parts).encode()).hexdigest(), text
            except UnicodeEncodeError:
                continue


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
