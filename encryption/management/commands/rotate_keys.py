"""``manage.py rotate_keys``: rotate keys and watch it, or destroy an epoch."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from encryption.key_tables import RotationRun
from encryption.rotation import overview, runs
from encryption.types import GENERAL, VAULT, OwnerKind
from foundation.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable

_BY: Final = "command"


class Command(BaseCommand):
    """Starts a rotation and works on it until it ends; it goes on where another broke off."""

    help = "Rotate keys, show how far rotations are, or destroy an epoch for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add one subcommand for each kind of run."""
        kinds = parser.add_subparsers(dest="what", required=True)
        kinds.add_parser("status", help="show runs, epochs, root versions and data keys")
        kinds.add_parser("resume", help="work on all runs that are not finished")
        epoch = kinds.add_parser("epoch", help="new epoch under the present root version")
        epoch.add_argument("purpose", nargs="?", default=GENERAL, choices=(GENERAL, VAULT))
        kinds.add_parser("root", help="new root version, or the one of a new key service")
        data_keys = kinds.add_parser("data-keys", help="new data keys; values are sealed anew")
        data_keys.add_argument("kind", choices=OwnerKind.values)
        data_keys.add_argument("--owner", type=UUID, help="id of one owner")
        kinds.add_parser("index", help="new root of the blind index")
        destroy = kinds.add_parser("destroy-epoch", help="destroy an epoch and its root versions")
        destroy.add_argument("purpose", choices=(GENERAL, VAULT))
        destroy.add_argument("number", type=int)

    def handle(self, *_args: object, **options: object) -> None:
        """Run the command."""
        try:
            if options["what"] == "status":
                self._show()
                return
            for run in _started(options):
                runs.drive(run, tell=self._tell)
        except DomainError as error:
            raise CommandError(error.message) from error

    def _show(self) -> None:
        for line in overview.lines():
            self.stdout.write(line)

    def _tell(self, run: RotationRun) -> None:
        self.stdout.write(overview.progress_line(run))
        self.stdout.flush()


def _started(options: dict[str, object]) -> list[RotationRun]:
    starts: dict[object, Callable[[], list[RotationRun]]] = {
        "resume": lambda: list(runs.open_runs()),
        "epoch": lambda: [runs.start_epoch(str(options["purpose"]), by=_BY)],
        "root": lambda: runs.start_root(by=_BY),
        "data-keys": lambda: [_data_keys(options)],
        "index": lambda: [runs.start_index(by=_BY)],
        "destroy-epoch": lambda: [_destruction(options)],
    }
    return starts[options["what"]]()


def _data_keys(options: dict[str, object]) -> RotationRun:
    owner = options["owner"]
    return runs.start_data_keys(
        str(options["kind"]), by=_BY, owner=owner if isinstance(owner, UUID) else None
    )


def _destruction(options: dict[str, object]) -> RotationRun:
    return runs.start_destruction(str(options["purpose"]), int(str(options["number"])), by=_BY)
