import signal
from pathlib import Path

from portal.embedded.urls import ALIASES
from portal.supervision.options import Options, parse
from portal.supervision.plan import Environments, Plan, application_plans

DATABASES = {name: f"postgresql://{name.lower()}" for name in ALIASES}


def plans(*, demo: bool = False) -> dict[str, Plan]:
    """Return the plans of a start by name."""
    options = Options(data=Path("/srv/data"), port=8000, demo=demo, web_workers=2)
    environments = Environments(shared={"SECRET_KEY": "s"}, databases=DATABASES)
    return {plan.name: plan for plan in application_plans(options, environments)}


def addresses(plan: Plan) -> set[str]:
    """Return the names of the database addresses that a process gets."""
    return {name for name in plan.spec.environment if name.endswith("DATABASE_URL")}


def test_web_holds_no_password_of_the_vault_or_the_sealer() -> None:
    web = addresses(plans()["web"])

    assert web == {
        "DATABASE_URL",
        "JOURNAL_READ_DATABASE_URL",
        "STAFF_DATABASE_URL",
        "KEYS_DATABASE_URL",
    }
    assert plans()["web"].spec.environment["ZONE"] == "web"


def test_only_the_worker_reaches_the_vault_and_only_the_loops_the_sealer() -> None:
    found = plans()

    assert [name for name, plan in found.items() if "VAULT_DATABASE_URL" in addresses(plan)] == [
        "worker"
    ]
    assert [name for name, plan in found.items() if "SEALER_DATABASE_URL" in addresses(plan)] == [
        "loops"
    ]


def test_processes_end_in_the_order_of_the_design_and_the_worker_dies_by_kill() -> None:
    found = plans(demo=True)

    assert list(found) == ["beat", "loops", "web", "worker", "mail"]
    assert found["worker"].spec.death_signal is signal.SIGKILL
    assert all(
        plan.spec.death_signal is signal.SIGTERM for name, plan in found.items() if name != "worker"
    )


def test_mail_sink_holds_no_database_password_and_exists_in_demo_only() -> None:
    assert addresses(plans(demo=True)["mail"]) == set()
    assert "mail" not in plans()


def test_address_is_printed_by_name_because_passkeys_refuse_numbers() -> None:
    assert parse(["--port", "8123"]).address == "http://localhost:8123"
