"""Revision 1: tombstones of forgotten patients, and which cases a model was trained on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = "0000"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "membership",
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("study_key", sa.String(length=64), nullable=False),
        sa.Column("patient_key", sa.String(length=64), nullable=False),
        sa.Column("split", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("model_digest", "study_key", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_patient_key"), "membership", ["patient_key"], unique=False)
    op.create_index(op.f("ix_membership_study_key"), "membership", ["study_key"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("tombstone_id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("lifted", sa.String(length=7), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tombstone_id", name=op.f("pk_tombstone")),
    )
    op.create_table(
        "tombstone_key",
        sa.Column("tombstone_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tombstone_id", "kind", "value", name=op.f("pk_tombstone_key")),
    )
    op.create_index(op.f("ix_tombstone_key_value"), "tombstone_key", ["value"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index(op.f("ix_tombstone_key_value"), table_name="tombstone_key")
    op.drop_table("tombstone_key")
    op.drop_table("tombstone")
    op.drop_index(op.f("ix_membership_study_key"), table_name="membership")
    op.drop_index(op.f("ix_membership_patient_key"), table_name="membership")
    op.drop_table("membership")
