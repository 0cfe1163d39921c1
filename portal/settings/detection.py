"""Thresholds of the anomaly rules and times of the journal (detection.md 1, audit.md 9)."""

from foundation import environment

DETECTION_D01_FAILURES = environment.integer("DETECTION_D01_FAILURES", default=5)
DETECTION_D01_WINDOW_SECONDS = environment.integer("DETECTION_D01_WINDOW_SECONDS", default=900)
DETECTION_D06_FAILURES = environment.integer("DETECTION_D06_FAILURES", default=5)

AUDIT_DAY_KEY_DAYS = environment.integer("AUDIT_DAY_KEY_DAYS", default=30)
