"""Announcements and notifications."""
