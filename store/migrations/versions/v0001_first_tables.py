"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("role", sa.String(20)),
        sa.Column("language", sa.String(12)),
        sa.Column("invited_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(120), nullable=False),
        sa.Column("user_id", sa.String(80), nullable=False),
        sa.Column("topic", sa.String(60)),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_conversations_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_conversations_user_id", "conversations", ["user_id"])
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(120), nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("read_as", sa.Text),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("topic", sa.String(60)),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("build", sa.String(40), nullable=False),
        sa.Column("timings_ms", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_turns_conversation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_turns_conversation_id", "turns", ["conversation_id"])
    op.create_index("ix_turns_asked_at", "turns", ["asked_at"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("turn_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.String(80), nullable=False),
        sa.Column("given_at", _TIME, nullable=False),
        sa.Column("vote", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_feedback_turn_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_feedback_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_feedback_turn_id", "feedback", ["turn_id"])
    op.create_index("ix_feedback_user_id", "feedback", ["user_id"])
    op.create_table(
        "gaps",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("turn_id", sa.Integer, nullable=False),
        sa.Column("noticed_at", _TIME, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("article", sa.String(60)),
        sa.Column("section", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_gaps"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_gaps_turn_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_gaps_turn_id", "gaps", ["turn_id"])
    op.create_index("ix_gaps_noticed_at", "gaps", ["noticed_at"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("article", sa.String(60)),
        sa.Column("sha256", sa.String(64)),
        sa.Column("detail", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "builds",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("manifest", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_builds"),
    )
    op.create_table(
        "served",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("build", sa.String(40), nullable=False),
        sa.Column("previous", sa.String(40)),
        sa.Column("switched_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_served"),
    )


def downgrade() -> None:
    for table in (
        "served",
        "builds",
        "audit",
        "gaps",
        "feedback",
        "turns",
        "conversations",
        "users",
    ):
        op.drop_table(table)
