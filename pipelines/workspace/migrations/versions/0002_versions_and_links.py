"""Revision 2: which resource of its source gave a value, and which patients a source has merged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column("observation", sa.Column("source_key", sa.String(length=64), nullable=False, server_default=""))
    op.create_index(op.f("ix_observation_source_key"), "observation", ["source_key"], unique=False)
    op.create_table(
        "patient_link",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("patient_key", sa.String(length=64), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("superseded", sa.Float(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_patient_link")),
    )
    op.create_index(op.f("ix_patient_link_patient_key"), "patient_link", ["patient_key"], unique=False)
    op.create_index(op.f("ix_patient_link_slot"), "patient_link", ["slot"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index(op.f("ix_patient_link_slot"), table_name="patient_link")
    op.drop_index(op.f("ix_patient_link_patient_key"), table_name="patient_link")
    op.drop_table("patient_link")
    op.drop_index(op.f("ix_observation_source_key"), table_name="observation")
    op.drop_column("observation", "source_key")
