"""Alembic's entry: it migrates through the one connection that `pipelines.workspace.migrate` hands it."""

from __future__ import annotations

from alembic import context

from pipelines.workspace.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
