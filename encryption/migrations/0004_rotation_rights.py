"""Grants of the tables of rotation; the floor of accepted epochs only rises."""

from django.db import migrations

KEYS = {"database": "keys"}

GRANTS = [
    (
        "REVOKE ALL ON encryption_epochfloor, encryption_rotationrun, encryption_keystoreverification "
        "FROM PUBLIC, gatehouse_keys, gatehouse_keys_vault"
    ),
    "GRANT SELECT, INSERT, UPDATE ON encryption_epochfloor TO gatehouse_keys, gatehouse_keys_vault",
    "GRANT SELECT, INSERT, UPDATE ON encryption_rotationrun TO gatehouse_keys",
    "GRANT SELECT, INSERT ON encryption_keystoreverification TO gatehouse_keys",
    (
        "GRANT UPDATE (emptied_at, destroyed_at) ON encryption_kekwrap "
        "TO gatehouse_keys, gatehouse_keys_vault"
    ),
    "GRANT UPDATE (state) ON encryption_rootversion TO gatehouse_keys_vault",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO gatehouse_keys_vault",
]
FLOOR = [
    (
        "CREATE FUNCTION encryption_floor_rises() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'the lowest accepted epoch only rises' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ),
    (
        "CREATE TRIGGER floor_rises BEFORE UPDATE ON encryption_epochfloor FOR EACH ROW "
        "WHEN (NEW.number < OLD.number OR NEW.purpose <> OLD.purpose) "
        "EXECUTE FUNCTION encryption_floor_rises()"
    ),
]
NO_FLOOR = [
    "DROP TRIGGER floor_rises ON encryption_epochfloor",
    "DROP FUNCTION encryption_floor_rises()",
]


class Migration(migrations.Migration):
    dependencies = [("encryption", "0003_rotation")]

    operations = [
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop, hints=KEYS),
        migrations.RunSQL(FLOOR, NO_FLOOR, hints=KEYS),
    ]
