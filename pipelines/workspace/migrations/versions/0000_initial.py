"""Revision 0: catalogue, ledger and audit log as first released. Later changes are revisions of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0000"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "attempt",
        sa.Column("attempt_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("study_key", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=300), nullable=False),
        sa.Column("started", sa.Float(), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("ended", sa.Float(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("error_class", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("key", "number", name=op.f("uq_attempt_key")),
    )
    op.create_index("ix_attempt_study_key", "attempt", ["study_key"], unique=False)
    op.create_table(
        "audit_event",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_action"), "audit_event", ["action"], unique=False)
    op.create_index(op.f("ix_audit_event_subject"), "audit_event", ["subject"], unique=False)
    op.create_table(
        "diagnosis",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("study_key", sa.String(length=64), nullable=False),
        sa.Column("patient_key", sa.String(length=64), nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=20), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("superseded_by", sa.String(length=64), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_diagnosis")),
    )
    op.create_index(op.f("ix_diagnosis_patient_key"), "diagnosis", ["patient_key"], unique=False)
    op.create_index(op.f("ix_diagnosis_study_key"), "diagnosis", ["study_key"], unique=False)
    op.create_table(
        "id_map",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("patient_key", sa.String(length=64), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("superseded", sa.Float(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_id_map")),
    )
    op.create_index(op.f("ix_id_map_patient_key"), "id_map", ["patient_key"], unique=False)
    op.create_index(op.f("ix_id_map_slot"), "id_map", ["slot"], unique=False)
    op.create_table(
        "ingest_run",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ingest_run")),
    )
    op.create_table(
        "label",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("patient_key", sa.String(length=64), nullable=False),
        sa.Column("study_key", sa.String(length=64), nullable=False),
        sa.Column("finding", sa.String(length=200), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("superseded", sa.Float(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_label")),
    )
    op.create_index(op.f("ix_label_patient_key"), "label", ["patient_key"], unique=False)
    op.create_index(op.f("ix_label_slot"), "label", ["slot"], unique=False)
    op.create_table(
        "note",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("patient_key", sa.String(length=64), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("superseded", sa.Float(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_patient_key"), "note", ["patient_key"], unique=False)
    op.create_index(op.f("ix_note_slot"), "note", ["slot"], unique=False)
    op.create_table(
        "observation",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("patient_key", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("superseded", sa.Float(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_observation")),
    )
    op.create_index(op.f("ix_observation_patient_key"), "observation", ["patient_key"], unique=False)
    op.create_index(op.f("ix_observation_slot"), "observation", ["slot"], unique=False)
    op.create_table(
        "quarantined_series",
        sa.Column("series_key", sa.String(length=64), nullable=False),
        sa.Column("conflict", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("resolved", sa.Float(), nullable=True),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("series_key", name=op.f("pk_quarantined_series")),
    )
    op.create_table(
        "scan",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("patient_key", sa.String(length=64), nullable=False),
        sa.Column("study_key", sa.String(length=64), nullable=False),
        sa.Column("series_key", sa.String(length=64), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Float(), nullable=False),
        sa.Column("superseded", sa.Float(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_scan")),
    )
    op.create_index(op.f("ix_scan_patient_key"), "scan", ["patient_key"], unique=False)
    op.create_index(op.f("ix_scan_series_key"), "scan", ["series_key"], unique=False)
    op.create_index(op.f("ix_scan_slot"), "scan", ["slot"], unique=False)
    op.create_index(op.f("ix_scan_study_key"), "scan", ["study_key"], unique=False)


def downgrade() -> None:
    """Drop every table."""
    op.drop_index(op.f("ix_scan_study_key"), table_name="scan")
    op.drop_index(op.f("ix_scan_slot"), table_name="scan")
    op.drop_index(op.f("ix_scan_series_key"), table_name="scan")
    op.drop_index(op.f("ix_scan_patient_key"), table_name="scan")
    op.drop_table("scan")
    op.drop_table("quarantined_series")
    op.drop_index(op.f("ix_observation_slot"), table_name="observation")
    op.drop_index(op.f("ix_observation_patient_key"), table_name="observation")
    op.drop_table("observation")
    op.drop_index(op.f("ix_note_slot"), table_name="note")
    op.drop_index(op.f("ix_note_patient_key"), table_name="note")
    op.drop_table("note")
    op.drop_index(op.f("ix_label_slot"), table_name="label")
    op.drop_index(op.f("ix_label_patient_key"), table_name="label")
    op.drop_table("label")
    op.drop_table("ingest_run")
    op.drop_index(op.f("ix_id_map_slot"), table_name="id_map")
    op.drop_index(op.f("ix_id_map_patient_key"), table_name="id_map")
    op.drop_table("id_map")
    op.drop_index(op.f("ix_diagnosis_study_key"), table_name="diagnosis")
    op.drop_index(op.f("ix_diagnosis_patient_key"), table_name="diagnosis")
    op.drop_table("diagnosis")
    op.drop_index(op.f("ix_audit_event_subject"), table_name="audit_event")
    op.drop_index(op.f("ix_audit_event_action"), table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_index("ix_attempt_study_key", table_name="attempt")
    op.drop_table("attempt")
