"""PostgreSQL: the embedded server, migrations, the pool, and one query module per family of tables.

A query function takes the connection first and keywords after it, holds its SQL as a literal, returns frozen
values, and never begins or commits: the transaction belongs to whoever called (see `bot.turn`).
"""
