"""How each answer came about, and what people have spent of a chat model by day."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "receipts",
        sa.Column("turn_id", sa.Integer, nullable=False),
        sa.Column("receipt", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("turn_id", name="pk_receipts"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_receipts_turn_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "spent",
        sa.Column("user_id", sa.String(80), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("tokens_in", sa.Integer, nullable=False),
        sa.Column("tokens_out", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "day", name="pk_spent"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_spent_user_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    for table in ("spent", "receipts"):
        op.drop_table(table)
