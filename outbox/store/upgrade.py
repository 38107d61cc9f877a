"""Bring a database to the newest schema, in one transaction."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect, text

from outbox.errors import OutboxError

HEAD = "0009"


def upgrade(engine: Engine, target: str = HEAD) -> None:
    """Run the migrations that are missing; raises OutboxError for a database of a newer outbox."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # two programs may start at once
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('upgrade'))"))
        version = _version(connection)
        if version == target:
            return
        if version is not None and version > target:
            raise OutboxError(
                f"the database has schema {version}, this outbox knows {target}; install the newer one"
            )
        _migrate(connection, target)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _migrate(connection: Connection, target: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "outbox:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, target)
