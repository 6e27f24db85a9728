"""The tables of catalogue, ledger and audit log, in SQLAlchemy Core; the same on SQLite and PostgreSQL.

A record is stored whole, as the JSON of its schema, beside the few columns that are queried. Those columns hold keys
(HMACs of the workspace), codes and moments; what identifies a patient stays inside ``record``. Moments are seconds
since 1970 in UTC: one form for both databases, and leases are plain arithmetic.

A catalogue table keeps every *version* it was given of a thing; ``slot`` names the thing. One put later supersedes
one put earlier, which is kept for the audit.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, false

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

KEY = String(64)


def _versions(name: str, *columns: Column) -> Table:
    """A table of versions: ``version`` is its own content, ``slot`` the thing that it is a version of."""
    return Table(
        name,
        metadata,
        Column("version", KEY, primary_key=True),
        Column("slot", KEY, nullable=False, index=True),
        Column("patient_key", KEY, nullable=False, index=True),  # "" where the source names no patient
        *columns,
        Column("recorded", Float, nullable=False),
        Column("superseded", Float),
        Column("record", Text, nullable=False),
    )


# ``version`` of a scan is its scan_id; its ``slot`` is the series of that study.
scan = _versions(
    "scan",
    Column("study_key", KEY, nullable=False, index=True),
    Column("series_key", KEY, nullable=False, index=True),
    Column("files", Integer, nullable=False),
)
note = _versions("note")
# ``source_key`` is the resource of the source that gave the value, "" where the source has none (a table).
observation = _versions(
    "observation",
    Column("code", String(200), nullable=False),
    Column("source_key", KEY, nullable=False, server_default="", index=True),
)
label = _versions("label", Column("study_key", KEY, nullable=False), Column("finding", String(200), nullable=False))
id_map = _versions("id_map")
patient_link = _versions("patient_link")

quarantined_series = Table(
    "quarantined_series",
    metadata,
    Column("series_key", KEY, primary_key=True),
    Column("conflict", Boolean, nullable=False, server_default=false()),  # the series names two patients or studies
    Column("resolved", Float),
    Column("recorded", Float, nullable=False),
    Column("record", Text, nullable=False),
)

ingest_run = Table(
    "ingest_run",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("recorded", Float, nullable=False),
    Column("counts", Text, nullable=False),
)

diagnosis = Table(
    "diagnosis",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("study_key", KEY, nullable=False, index=True),
    Column("patient_key", KEY, nullable=False, index=True),
    Column("model_digest", KEY, nullable=False),
    Column("lane", String(20), nullable=False),
    Column("recorded", Float, nullable=False),
    Column("superseded_by", KEY),
    Column("record", Text, nullable=False),
)

attempt = Table(
    "attempt",
    metadata,
    Column("attempt_id", KEY, primary_key=True),
    Column("key", KEY, nullable=False),
    Column("number", Integer, nullable=False),
    Column("study_key", KEY, nullable=False),
    Column("owner", String(300), nullable=False),
    Column("started", Float, nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("ended", Float),
    Column("outcome", String(20)),
    Column("reason", String(60)),
    Column("error_class", String(120)),
    # Two claims at once both ask for the next number; the database lets one have it.
    UniqueConstraint("key", "number"),
)
Index("ix_attempt_study_key", attempt.c.study_key)

audit_event = Table(
    "audit_event",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("recorded", Float, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(60), nullable=False, index=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("detail", Text, nullable=False),
)

# A patient who was forgotten. Nothing here names one: the keys are HMACs, and time has the grain of a month.
tombstone = Table(
    "tombstone",
    metadata,
    Column("tombstone_id", KEY, primary_key=True),
    Column("month", String(7), nullable=False),
    Column("state", String(20), nullable=False),  # how far the removal has come
    Column("lifted", String(7)),
    Column("counts", Text, nullable=False),
)

tombstone_key = Table(
    "tombstone_key",
    metadata,
    Column("tombstone_id", KEY, primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("value", KEY, primary_key=True, index=True),
)

# Which cases a model was trained, chosen or tested on; kept here and told to no server.
membership = Table(
    "membership",
    metadata,
    Column("model_digest", KEY, primary_key=True),
    Column("study_key", KEY, primary_key=True, index=True),
    Column("patient_key", KEY, nullable=False, index=True),
    Column("split", String(20), nullable=False),
)
