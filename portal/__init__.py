"""Floor 8: composition root with settings, URLs, Celery and embedded servers."""
