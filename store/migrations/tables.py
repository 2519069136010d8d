"""The SQL tables as the newest migration leaves them; a test compares the two."""

from datetime import UTC, datetime

import sqlalchemy as sa

HEAD = "0008"
"""The newest migration; a test compares it with the scripts."""


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps no zone of its own."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("role", sa.String(20)),
    sa.Column("language", sa.String(12)),
    sa.Column("hinted", sa.String(12)),
    sa.Column("invited_at", UtcDateTime),
)
conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.String(120), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("topic", sa.String(60)),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)
turns = sa.Table(
    "turns",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column(
        "conversation_id",
        sa.ForeignKey("conversations.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("asked_at", UtcDateTime, nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("read_as", sa.Text),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("topic", sa.String(60)),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("build", sa.String(40), nullable=False),
    sa.Column("timings_ms", sa.JSON, nullable=False),
)
feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("turn_id", sa.ForeignKey("turns.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("given_at", UtcDateTime, nullable=False),
    sa.Column("vote", sa.Integer, nullable=False),
    sa.Column("comment", sa.Text),
    sa.Index(None, "user_id", "turn_id", unique=True),
)
gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("turn_id", sa.ForeignKey("turns.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("noticed_at", UtcDateTime, nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("article", sa.String(60)),
    sa.Column("section", sa.Text),
)
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("article", sa.String(60), index=True),
    sa.Column("sha256", sa.String(64)),
    sa.Column("detail", sa.JSON),
)
builds = sa.Table(
    "builds",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("manifest", sa.JSON, nullable=False),
)
served = sa.Table(
    "served",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("build", sa.String(40), nullable=False),
    sa.Column("previous", sa.String(40)),
    sa.Column("switched_at", UtcDateTime, nullable=False),
)
quoted = sa.Table(
    "quoted",
    metadata,
    sa.Column("turn_id", sa.ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("article", sa.String(60), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("withdrawn_at", UtcDateTime),
    sa.Column("withdrawn_build", sa.String(40)),
    sa.Column("claimed_at", UtcDateTime),
    sa.Column("told_at", UtcDateTime),
    sa.Index(None, "article", "digest"),
)
# Of all that was ever quoted only this little has to be looked at again and again.
_untold = sa.and_(quoted.c.withdrawn_at.is_not(None), quoted.c.told_at.is_(None))
sa.Index("ix_quoted_untold", quoted.c.turn_id, sqlite_where=_untold, postgresql_where=_untold)
standing = sa.Table(
    "standing",
    metadata,
    sa.Column("article", sa.String(60), primary_key=True),
    sa.Column("digests", sa.JSON, nullable=False),
)
claims = sa.Table(
    "claims",
    metadata,
    sa.Column("what", sa.String(40), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
)
receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("turn_id", sa.ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("receipt", sa.JSON, nullable=False),
)
spent = sa.Table(
    "spent",
    metadata,
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("tokens_in", sa.Integer, nullable=False),
    sa.Column("tokens_out", sa.Integer, nullable=False),
)
shown = sa.Table(
    "shown",
    metadata,
    sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("turn_id", sa.ForeignKey("turns.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("what", sa.String(10), nullable=False),
    sa.Column("parts", sa.Integer, nullable=False),
    sa.Column("question_id", sa.BigInteger),
    sa.Index(None, "chat_id", "question_id"),
)
mailbox = sa.Table(
    "mailbox",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True),
    sa.Column("update_id", sa.BigInteger, primary_key=True),
    sa.Column("what", sa.String(120), primary_key=True),
    sa.Column("place", sa.String(60), index=True),
    sa.Column("user_id", sa.String(80), index=True),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("payload", sa.Text),
    sa.Column("owner", sa.String(120), nullable=False),
    sa.Column("leased_until", UtcDateTime, nullable=False),
    sa.Column("begun_at", UtcDateTime),
    sa.Column("done_at", UtcDateTime, index=True),
)
replies = sa.Table(
    "replies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("bot_id", sa.BigInteger, nullable=False),
    sa.Column("update_id", sa.BigInteger, nullable=False),
    sa.Column("what", sa.String(120), nullable=False),
    sa.Column("chat_id", sa.BigInteger, nullable=False),
    sa.Column("thread_id", sa.BigInteger),
    sa.Column("part", sa.JSON, nullable=False),
    sa.Column("sent_at", UtcDateTime),
    sa.ForeignKeyConstraint(
        ["bot_id", "update_id", "what"],
        ["mailbox.bot_id", "mailbox.update_id", "mailbox.what"],
        ondelete="CASCADE",
    ),
    sa.Index(None, "bot_id", "update_id", "what"),
)
unreachable = sa.Table(
    "unreachable",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True),
    sa.Column("chat_id", sa.BigInteger, primary_key=True),
    sa.Column("since", UtcDateTime, nullable=False),
)
