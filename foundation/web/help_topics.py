"""Help topics: the templates ``help/<app>/<page>.html``, found once."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True, slots=True, order=True)
class Topic:
    """A help topic by its place."""

    app: str
    page: str

    @property
    def template(self) -> str:
        """Name of the topic's template."""
        return f"help/{self.app}/{self.page}.html"


@lru_cache(maxsize=1)
def topics() -> tuple[Topic, ...]:
    """Return all topics, sorted; the folder does not change while the process runs."""
    root = Path(settings.BASE_DIR) / "templates" / "help"
    return tuple(sorted(Topic(path.parent.name, path.stem) for path in root.glob("*/*.html")))
