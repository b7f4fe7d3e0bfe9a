"""The commands of `rahhal`, a module for each kind; `register` of each adds its own.

What a command needs is imported when it runs: `rahhal understand` needs no database, and `--help` should be there at once.
"""
