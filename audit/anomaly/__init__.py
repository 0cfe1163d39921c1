"""Anomaly rules over the journal and their evaluation."""
