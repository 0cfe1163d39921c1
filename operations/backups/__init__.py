"""Backup, restore and restore drills."""
