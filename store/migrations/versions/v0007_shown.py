"""Which message showed which answer, one vote a person and answer, and lines of the audit about a
person's access, which may be erased with the person."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ERASABLE = "('invited', 'refused')"
_GUARDS = {
    "sqlite": (
        "DROP TRIGGER audit_no_delete",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        f"WHEN OLD.action NOT IN {_ERASABLE} "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    ),
    "postgresql": (
        "DROP TRIGGER audit_is_append_only ON audit",
        "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH ROW "
        f"WHEN (OLD.action NOT IN {_ERASABLE}) EXECUTE FUNCTION audit_is_append_only()",
    ),
}
_UNGUARDS = {
    "sqlite": (
        "DROP TRIGGER audit_no_delete",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    ),
    "postgresql": (
        "DROP TRIGGER audit_no_delete ON audit",
        "DROP TRIGGER audit_is_append_only ON audit",
        "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "shown",
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("turn_id", sa.Integer, nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("question_id", sa.BigInteger),
        sa.PrimaryKeyConstraint("chat_id", "message_id", name="pk_shown"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_shown_turn_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_shown_turn_id", "shown", ["turn_id"])
    op.create_index("ix_shown_chat_id_question_id", "shown", ["chat_id", "question_id"])
    op.create_index("ix_feedback_user_id_turn_id", "feedback", ["user_id", "turn_id"], unique=True)
    for statement in _GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in _UNGUARDS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index("ix_feedback_user_id_turn_id", "feedback")
    op.drop_table("shown")
