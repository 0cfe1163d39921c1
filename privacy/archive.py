"""The archive of an access request: a ZIP that a person can read and a machine can check."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import translation

from encryption.services import public_key, sign
from foundation.contracts.personal_data import Section, personal_data
from privacy import queries
from privacy.columns import words_of
from privacy.models import Purpose

PURPOSE = "manifest"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True, slots=True)
class BuiltArchive:
    """A ZIP and what it counts.

    Attributes:
        content: bytes of the ZIP, in clear: seal them before they rest anywhere.
        sections: number of sections.
        rows: number of rows in all sections.
    """

    content: bytes
    sections: int
    rows: int


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a section is held, in words (art. 15(1) GDPR)."""

    purpose: str
    basis: str
    retention: str
    recipients: tuple[str, ...]


def build(sections: Iterable[Section], *, language: str, made_on: str) -> BuiltArchive:
    """Write the sections as readable page, JSON, CSV and schema, with a signed manifest.

    Args:
        sections: what the sources exported, one section per label.
        language: of the readable page and of the grounds.
        made_on: date for the page, ISO 8601.
    """
    kept = tuple(sections)
    with translation.override(language):
        files = _files(kept, language=language, made_on=made_on)
    manifest = _json(
        {
            "made_on": made_on,
            "files": {name: hashlib.sha256(body).hexdigest() for name, body in files.items()},
        }
    )
    files["manifest.json"] = manifest
    files["manifest.sig"] = _signature(manifest)
    return BuiltArchive(
        content=_zip(files), sections=len(kept), rows=sum(len(item.rows) for item in kept)
    )


def _files(sections: tuple[Section, ...], *, language: str, made_on: str) -> dict[str, bytes]:
    purposes = queries.purposes()
    grounds = {item.label: _grounds(item.label, purposes) for item in sections}
    tables = [
        {
            "title": item.title,
            "grounds": grounds[item.label],
            "columns": [words_of(name) for name in _columns(item)],
            "rows": _cells(item),
        }
        for item in sections
    ]
    context = {"tables": tables, "made_on": made_on, "language": language}
    files = {"index.html": render_to_string("privacy/archive/index.html", context).encode()}
    for item in sections:
        files[f"data/{item.label}.json"] = _json({"rows": list(item.rows)})
        files[f"data/{item.label}.csv"] = _csv(item)
        files[f"schema/{item.label}.json"] = _json(_schema(item, grounds[item.label]))
    return files


def _grounds(label: str, purposes: Mapping[str, Purpose]) -> Grounds:
    source = personal_data.get(label)
    purpose = purposes[source.purpose]
    return Grounds(
        purpose=str(purpose.shown_description),
        basis=str(purpose.shown_basis),
        retention=str(source.retention),
        recipients=tuple(str(who) for who in source.recipients),
    )


def _columns(section: Section) -> list[str]:
    columns: dict[str, None] = {}
    for row in section.rows:
        columns.update(dict.fromkeys(row))
    return list(columns)


def _cells(section: Section) -> list[list[str]]:
    columns = _columns(section)
    return [[_text(row.get(name)) for name in columns] for row in section.rows]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str).encode()


def _csv(section: Section) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(_columns(section))
    writer.writerows([_neutral(cell) for cell in row] for row in _cells(section))
    return stream.getvalue().encode("utf-8-sig")


def _neutral(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula; the JSON holds the text as it is."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell


def _schema(section: Section, grounds: Grounds) -> Mapping[str, object]:
    fields = personal_data.get(section.label).fields
    columns = {
        name: {"type": _types(section, name), "x-class": str(fields.get(name, "content"))}
        for name in _columns(section)
    }
    rows = {"type": "object", "properties": columns, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": section.title,
        "type": "object",
        "properties": {"rows": {"type": "array", "items": rows}},
        "required": ["rows"],
        "x-label": section.label,
        "x-purpose": grounds.purpose,
        "x-basis": grounds.basis,
        "x-retention": grounds.retention,
        "x-recipients": list(grounds.recipients),
    }


def _types(section: Section, name: str) -> list[str]:
    """Return the JSON types of a column; what JSON does not know is written as text."""
    present = (row[name] for row in section.rows if name in row)
    return sorted({"null" if value is None else _json_type(value) for value in present})


def _json_type(value: object) -> str:
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, list | tuple):
        return "array"
    return _TYPES.get(type(value), "string")


def _signature(manifest: bytes) -> bytes:
    """Return the signature with its public key, to be checked without the portal."""
    signature = sign(PURPOSE, manifest)
    return _json(
        {
            "signature": signature.value.hex(),
            "key_id": signature.key_id.hex(),
            "public_key": public_key(PURPOSE, key_id=signature.key_id).hex(),
            "algorithm": "Ed25519 over the bytes of manifest.json",
        }
    )


def _zip(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression=zipfile.ZIP_DEFLATED) as bundle:
        for name, body in files.items():
            bundle.writestr(name, body)
    return stream.getvalue()
