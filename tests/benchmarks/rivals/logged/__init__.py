"""Business writes with django-auditlog, installed as its documentation says."""
