"""CRC-32C (Castagnoli, RFC 3720 B.4), the checksum of Cloud KMS: finds accidents, not attacks."""

from typing import Final

_POLYNOMIAL: Final = 0x82F63B78
_BITS: Final = 8


def crc32c(content: bytes) -> int:
    """Return the checksum of some hundred bytes; written for its size, not for speed."""
    found = 0xFFFFFFFF
    for byte in content:
        found ^= byte
        for _ in range(_BITS):
            found = (found >> 1) ^ (_POLYNOMIAL if found & 1 else 0)
    return found ^ 0xFFFFFFFF
