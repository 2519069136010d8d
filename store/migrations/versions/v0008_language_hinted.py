"""The language that Telegram tells of people, to write to them when they have not written."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("users", sa.Column("hinted", sa.String(12)))


def downgrade() -> None:
    op.drop_column("users", "hinted")
