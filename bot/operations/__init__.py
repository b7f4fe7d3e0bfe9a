"""What an operator does with the database from the command line, each command in a module of its own.

Commands print lines for people (or JSON) through a `write` they are given, and raise RahhalError with one line.
"""
