"""Status page, maintenance, advisories and the incident plan."""
