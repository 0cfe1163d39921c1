"""Grants and row security of the keys database (encryption.md 7).

Ledgers and revocations are append-only. Keys of purpose ``vault`` are seen by role
``gatehouse_keys_vault`` alone. The owner of the tables is not bound by row security and is no role
of any running process.
"""

from django.db import migrations

KEYS = {"database": "keys"}

GRANTS = {
    "installation": "SELECT, INSERT",
    "rootversion": "SELECT, INSERT, UPDATE",
    "kekepoch": "SELECT, INSERT, UPDATE",
    "kekwrap": "SELECT, INSERT",
    "datakey": "SELECT, INSERT, UPDATE, DELETE",
    "indexkey": "SELECT, INSERT, UPDATE",
    "signingkey": "SELECT, INSERT, UPDATE",
    "sealingkey": None,  # by column, below
    "revocation": "SELECT, INSERT",
    "erasureledgerentry": "SELECT, INSERT",
    "replayledgerentry": "SELECT, INSERT",
}
VAULT_GRANTS = {
    "installation": "SELECT",
    "rootversion": "SELECT, INSERT",
    "kekepoch": "SELECT, INSERT, UPDATE",
    "kekwrap": "SELECT, INSERT",
    "datakey": "SELECT, INSERT, UPDATE",
    "sealingkey": "SELECT, INSERT, UPDATE",
    "revocation": "SELECT",
    "erasureledgerentry": "SELECT",
}
BY_PURPOSE = ("kekepoch", "datakey")


def grants() -> list[str]:
    statements = []
    for name, rights in GRANTS.items():
        table = f"encryption_{name}"
        statements.append(
            f"REVOKE ALL ON {table} FROM PUBLIC, gatehouse_keys, gatehouse_keys_vault"
        )
        if rights:
            statements.append(f"GRANT {rights} ON {table} TO gatehouse_keys")
        if name in VAULT_GRANTS:
            statements.append(f"GRANT {VAULT_GRANTS[name]} ON {table} TO gatehouse_keys_vault")
    statements += [
        (
            "GRANT SELECT (id, purpose, public_key, state, created_at) ON encryption_sealingkey "
            "TO gatehouse_keys"
        ),
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO gatehouse_keys_vault",
    ]
    return statements


def row_security() -> list[str]:
    statements = []
    for name in BY_PURPOSE:
        table = f"encryption_{name}"
        statements += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            (
                f"CREATE POLICY all_but_vault ON {table} TO gatehouse_keys "
                "USING (purpose <> 'vault') WITH CHECK (purpose <> 'vault')"
            ),
            (
                f"CREATE POLICY vault_alone ON {table} TO gatehouse_keys_vault "
                "USING (purpose = 'vault') WITH CHECK (purpose = 'vault')"
            ),
        ]
    return statements


def no_row_security() -> list[str]:
    statements = []
    for name in BY_PURPOSE:
        table = f"encryption_{name}"
        statements += [
            f"DROP POLICY vault_alone ON {table}",
            f"DROP POLICY all_but_vault ON {table}",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]
    return statements


class Migration(migrations.Migration):
    dependencies = [("encryption", "0001_initial")]

    operations = [
        migrations.RunSQL(grants(), migrations.RunSQL.noop, hints=KEYS),
        migrations.RunSQL(row_security(), no_row_security(), hints=KEYS),
    ]
