"""QR codes as inline SVG: classes only, so that the policy needs no exception."""

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString
from qrcode.constants import ERROR_CORRECT_M

_QUIET_ZONE = 4  # modules around the code, ISO/IEC 18004 section 6.3.8


def svg(text: str, *, label: str) -> SafeString:
    """Return the code as ``<svg class="qr">`` with one path.

    Args:
        text: content, for example an ``otpauth:`` address; it never leaves the server as a URL.
        label: what the picture is, for those who cannot see it.
    """
    matrix = _matrix(text)
    size = len(matrix)
    return format_html(
        '<svg class="qr" role="img" aria-label="{}" viewBox="0 0 {} {}">'
        '<rect class="qr-paper" width="{}" height="{}"></rect>'
        '<path class="qr-ink" d="{}"></path></svg>',
        label,
        size,
        size,
        size,
        size,
        _path(matrix),
    )


def _matrix(text: str) -> list[list[bool]]:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET_ZONE)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]


def _path(matrix: list[list[bool]]) -> str:
    """Draw each run of dark modules of a row as one rectangle."""
    parts = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            length = next((i for i, dark in enumerate(row[x:]) if not dark), len(row) - x)
            if length:
                parts.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length or 1
    return "".join(parts)
