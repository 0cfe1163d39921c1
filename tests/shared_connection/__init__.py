"""A database backend whose aliases share the open transaction of another alias."""
