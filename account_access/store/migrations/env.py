"""Alembic's entry: migrates the connection that `account_access.store.migrate` hands over."""

from alembic import context

from account_access.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
