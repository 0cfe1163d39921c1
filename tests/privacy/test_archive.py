"""The archive: a page to read, JSON, CSV and schema, and a signed list of all files."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime

import jsonschema
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from accounts.models import User
from foundation.contracts.personal_data import Section
from privacy import archive, columns
from tests.factories import accounts as people
from tests.factories import privacy as make
from tests.factories import records as room

OTHER = "Anna Kowalska"


@pytest.fixture
def files() -> dict[str, bytes]:
    """Return the copy of somebody with records."""
    principal = room.member(people.organisation(name="Aurora"))
    room.record(principal)
    room.record(principal, kind="contact")
    return make.copy_of(User.objects.get(pk=str(principal.id)))


def built(*sections: Section) -> dict[str, bytes]:
    return make.opened(archive.build(sections, language="en", made_on="2026-11-24").content)


def section(**row: object) -> Section:
    return Section(label="accounts.user", title="Your account", rows=(row,))


def rows_of(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"))))


def test_each_section_is_json_csv_and_schema(files: dict[str, bytes]) -> None:
    labels = {name.removeprefix("data/").rpartition(".")[0] for name in files if "data/" in name}

    assert {"accounts.user", "accounts.membership", "records.record"} <= labels
    for label in labels:
        assert {f"data/{label}.json", f"data/{label}.csv", f"schema/{label}.json"} <= set(files)


def test_the_json_is_what_its_schema_says(files: dict[str, bytes]) -> None:
    checked = 0
    for name, body in files.items():
        if name.startswith("schema/"):
            schema = json.loads(body)
            jsonschema.Draft202012Validator.check_schema(schema)
            jsonschema.validate(json.loads(files[name.replace("schema/", "data/")]), schema)
            checked += 1

    assert checked > 4


def test_a_schema_says_why_and_how_long_a_part_is_held(files: dict[str, bytes]) -> None:
    schema = json.loads(files["schema/audit.entry.json"])

    assert schema["x-purpose"] == "Keeping the portal and its data safe"
    assert "art. 6(1)(f)" in schema["x-basis"]
    assert "24 months" in schema["x-retention"]
    assert schema["x-recipients"]
    account = json.loads(files["schema/accounts.user.json"])
    classes = account["properties"]["rows"]["items"]["properties"]
    assert classes["email"] == {"type": ["string"], "x-class": "contact"}


def test_a_schema_knows_the_types_of_its_columns() -> None:
    rows = {
        "flag": True,
        "count": 3,
        "share": 0.5,
        "names": ["a"],
        "facts": {"a": 1},
        "nothing": None,
        "at": datetime(2026, 11, 24, tzinfo=UTC),
    }

    schema = json.loads(built(section(**rows))["schema/accounts.user.json"])

    types = {
        name: column["type"][0]
        for name, column in schema["properties"]["rows"]["items"]["properties"].items()
    }
    assert types == {
        "flag": "boolean",
        "count": "integer",
        "share": "number",
        "names": "array",
        "facts": "object",
        "nothing": "null",
        "at": "string",
    }


def test_json_and_csv_hold_the_same(files: dict[str, bytes]) -> None:
    head, *rows = rows_of(files["data/accounts.user.csv"])
    (row,) = json.loads(files["data/accounts.user.json"])["rows"]

    assert head == list(row)
    assert rows == [["" if value is None else str(value) for value in row.values()]]


def test_the_manifest_names_every_file_and_is_signed(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["manifest.json"])
    proof = json.loads(files["manifest.sig"])
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(proof["public_key"]))

    assert set(manifest["files"]) == set(files) - {"manifest.json", "manifest.sig"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
    key.verify(bytes.fromhex(proof["signature"]), files["manifest.json"])
    with pytest.raises(InvalidSignature):
        key.verify(bytes.fromhex(proof["signature"]), files["manifest.json"] + b" ")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  ="])
def test_no_spreadsheet_runs_a_cell_as_a_formula(start: str) -> None:
    text = f'{start}HYPERLINK("https://evil.example","x")'

    files = built(section(display_name=text))

    _head, (cell,) = rows_of(files["data/accounts.user.csv"])
    assert cell.startswith("'")
    assert json.loads(files["data/accounts.user.json"])["rows"] == [{"display_name": text}]


def test_the_page_escapes_what_people_wrote() -> None:
    page = built(section(display_name="<script>alert(1)</script>"))["index.html"].decode()

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_page_speaks_in_words(files: dict[str, bytes]) -> None:
    page = files["index.html"].decode()

    assert "Your account" in page
    assert "E-mail address" in page
    assert "Keeping the portal and its data safe" in page
    assert "accounts.user" not in page
    assert "display_name" not in page


def test_columns_without_words_of_their_own_are_readable() -> None:
    assert columns.words_of("display_name") == "Name"
    assert columns.words_of("unlock_code") == "Unlock code"


def test_other_people_appear_by_role_only(files: dict[str, bytes]) -> None:
    rows = json.loads(files["data/records.record.json"])["rows"]
    contact = next(row for row in rows if row["kind"] == "contact")

    assert contact["name"] == "a contact of your organisation"
    assert all(OTHER.encode() not in body for body in files.values())
    assert room.IBAN.encode() in files["data/records.record.json"]


def test_two_archives_share_no_content() -> None:
    home = people.organisation(name="Aurora")
    nina, otto = (people.member(home, name=name) for name in ("Nina Nowak", "Otto Otter"))

    first, second = make.copy_of(nina), make.copy_of(otto)

    for files, other in ((first, otto), (second, nina)):
        everything = b"".join(files.values())
        assert str(other.display_name).encode() not in everything
        assert other.email.encode() not in everything
        assert str(other.pk).encode() not in everything


def test_an_empty_archive_is_still_a_whole_one() -> None:
    files = built()

    assert set(files) == {"index.html", "manifest.json", "manifest.sig"}
