"""Alerts: cases, channels, deliveries."""
