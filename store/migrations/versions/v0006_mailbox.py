"""What came in from Telegram, the replies that are on their way, and chats closed to the bot."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "mailbox",
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("update_id", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(120), nullable=False),
        sa.Column("place", sa.String(60)),
        sa.Column("user_id", sa.String(80)),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("owner", sa.String(120), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("bot_id", "update_id", "what", name="pk_mailbox"),
    )
    op.create_index("ix_mailbox_user_id", "mailbox", ["user_id"])
    op.create_index("ix_mailbox_place", "mailbox", ["place"])
    op.create_index("ix_mailbox_done_at", "mailbox", ["done_at"])
    op.create_table(
        "replies",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("update_id", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(120), nullable=False),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("thread_id", sa.BigInteger),
        sa.Column("part", sa.JSON, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_replies"),
        sa.ForeignKeyConstraint(
            ["bot_id", "update_id", "what"],
            ["mailbox.bot_id", "mailbox.update_id", "mailbox.what"],
            name="fk_replies_bot_id_update_id_what",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_replies_bot_id_update_id_what", "replies", ["bot_id", "update_id", "what"])
    op.create_table(
        "unreachable",
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "chat_id", name="pk_unreachable"),
    )


def downgrade() -> None:
    for table in ("unreachable", "replies", "mailbox"):
        op.drop_table(table)
