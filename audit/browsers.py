"""Families of browsers, the only part of their description that entries keep in clear."""

from functools import lru_cache

from ua_parser import parse_user_agent

MAX_FAMILY = 40


@lru_cache(maxsize=1024)
def family(user_agent: str) -> str:
    """Return the family, for example ``Firefox``; empty where it cannot be told."""
    if not user_agent:
        return ""
    found = parse_user_agent(user_agent)
    return "" if found is None else found.family[:MAX_FAMILY]
