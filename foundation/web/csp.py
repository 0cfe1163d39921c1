"""The content security policy: one for all pages, in the form of Django 6's ``SECURE_CSP``."""

from collections.abc import Collection, Mapping

Policy = Mapping[str, Collection[str] | str]

FILE_POLICY = "sandbox; default-src 'none'"
"""What answers that carry a user's file send; the only policy a view may set (frontend.md 2)."""

REPORT_PATH = "/csp-report"


def default_policy(*, stream_origin: str = "") -> dict[str, list[str]]:
    """Return the policy of frontend.md 2 for the setting ``SECURE_CSP``.

    Args:
        stream_origin: origin of the event stream, where it is another than the pages'.
    """
    return {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'", *([stream_origin] if stream_origin else [])],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
        "report-uri": [REPORT_PATH],
    }


def header(policy: Policy) -> str:
    """Return a policy as the value of the header, directives in the order given."""
    return "; ".join(
        f"{directive} {sources if isinstance(sources, str) else ' '.join(sources)}"
        for directive, sources in policy.items()
    )
