"""Reads commands as JSON lines, runs them and answers with what they took."""

import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import django
from django.core.management import call_command

django.setup()

from auditlog.context import set_actor  # noqa: E402  models come after setup
from django.contrib.auth.models import User  # noqa: E402
from django.db import connections, transaction  # noqa: E402

from tests.benchmarks.crew import Crew  # noqa: E402
from tests.benchmarks.rivals.logged.models import (  # noqa: E402
    Columns,
    LoggedAccount,
    SilentAccount,
)

MODELS: dict[str, type[Columns]] = {"silent": SilentAccount, "logged": LoggedAccount}


def main() -> None:
    """Serve until standard input ends."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    actor = User.objects.create_user("alice", "alice@example.org")
    crews: dict[tuple[str, int], Crew[tuple[int, UUID]]] = {}
    rows: dict[str, list[UUID]] = {}
    for line in sys.stdin:
        command = json.loads(line)
        name, threads, number = command["model"], command["threads"], command["number"]
        model = MODELS[name]
        if name not in rows:
            rows[name] = _made(model, number)
        if (name, threads) not in crews:
            work = partial(_write_all, model, actor)
            crews[name, threads] = Crew(threads, work, connections.close_all)
        crew, items = crews[name, threads], list(enumerate(rows[name]))
        print(json.dumps(_timed(lambda: crew.run(items))), flush=True)  # noqa: B023  called now
    for crew in crews.values():
        crew.end()


def _made(model: type[Columns], number: int) -> list[UUID]:
    made = [model(code=f"A{place:05d}", note="As agreed by telephone.") for place in range(number)]
    model._default_manager.bulk_create(made)
    return [row.pk for row in made]


def _write_all(model: type[Columns], actor: User, items: Sequence[tuple[int, UUID]]) -> None:
    with set_actor(actor, remote_addr="192.0.2.77"):
        for _number, key in items:
            with transaction.atomic():
                row = model._default_manager.get(pk=key)
                row.balance += 1
                row.note = f"Balance {row.balance} as agreed by telephone."
                row.save(update_fields=["balance", "note"])


def _timed(run: Callable[[], None]) -> dict[str, float]:
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return {
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
    }


if __name__ == "__main__":
    main()
