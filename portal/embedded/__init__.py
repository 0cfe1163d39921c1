"""PostgreSQL and Valkey from wheels, for make run, demo and tests."""
