"""The versions of the SQL tables, oldest first, run by Alembic when a database is opened."""
