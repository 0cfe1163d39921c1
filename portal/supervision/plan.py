"""Which processes run, with which rights, and in which order they end."""

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.embedded import urls
from portal.embedded.child import ChildSpec
from portal.supervision.options import CHECKOUT, Options

MAIL_PORT_OFFSET = 25
QUEUES = "alerts,mail,integrations,bulk,default"


@dataclass(frozen=True, slots=True)
class Plan:
    """One long-running process.

    Attributes:
        name: prefix of its output.
        spec: how to start it.
        stop_seconds: time it gets to end after its signal.
        stop_signal: what asks it to end.
        log: file for its output; None shows it on the terminal.
        pause_seconds: before the first restart; doubled for each further one.
    """

    name: str
    spec: ChildSpec
    stop_seconds: float
    stop_signal: signal.Signals = signal.SIGTERM
    log: Path | None = None
    pause_seconds: float = 1.0


def mail_port(options: Options) -> int:
    """Return the port of the demo's mail sink."""
    return options.port + MAIL_PORT_OFFSET


def application_plans(options: Options, environments: "Environments") -> list[Plan]:
    """Return the portal's own processes in the order in which they end.

    The worker dies by SIGKILL with its supervisor: on SIGTERM it would wait for the dead broker.
    """
    beat = [*_celery(), "beat", "--schedule", options.data / "beat-schedule", "--pidfile="]
    worker = [*_celery(), "worker", "-Q", QUEUES, "--concurrency", "2", "--hostname", "worker@here"]
    plans = [
        _python("beat", [*beat, *_QUIET], environments.of("web", urls.OF_WEB), 5),
        _python("loops", ["manage.py", "run_loops"], environments.of("all", urls.OF_LOOPS), 10),
        _python("web", _granian(options), environments.of("web", urls.OF_WEB), 15),
        _python(
            "worker",
            [*worker, "--without-mingle", "--without-gossip", *_QUIET],
            environments.of("all", urls.OF_WORKER),
            30,
            death_signal=signal.SIGKILL,
        ),
    ]
    if options.demo:
        sink = ["-m", "portal.supervision.mail_sink", str(mail_port(options))]
        plans.append(_python("mail", [*sink, options.data / "mail"], environments.of("web", ()), 5))
    return plans


@dataclass(frozen=True, slots=True)
class Environments:
    """Makes each process's environment: only the passwords of its own roles.

    Attributes:
        shared: what every process of the portal gets.
        databases: addresses by variable; empty where the operator gave them.
    """

    shared: Mapping[str, str]
    databases: Mapping[str, str]

    def of(self, zone: str, variables: Iterable[str]) -> dict[str, str]:
        """Return the environment of one process."""
        own = {name: self.databases[name] for name in variables if name in self.databases}
        return {**self.shared, **own, "ZONE": zone}


_QUIET = ("--loglevel", "WARNING")


def _celery() -> list[str | Path]:
    # The supervisor warns of root once; Celery's own warning and its banner say no more.
    warning = "ignore:You're running the worker with superuser privileges"
    return ["-W", warning, "-m", "celery", "--quiet", "-A", "portal.celery"]


def _granian(options: Options) -> list[str | Path]:
    command: list[str | Path] = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(options.port), "--workers", str(options.web_workers)]
    command += ["--blocking-threads", "1", "--log-level", "warning", "--no-ws"]
    return [*command, "portal.wsgi:application"]


def _python(
    name: str,
    arguments: list[str | Path],
    environment: dict[str, str],
    stop_seconds: float,
    *,
    death_signal: signal.Signals = signal.SIGTERM,
) -> Plan:
    spec = ChildSpec(
        command=[sys.executable, *(os.fspath(part) for part in arguments)],
        environment=environment,
        death_signal=death_signal,
        folder=CHECKOUT,
    )
    return Plan(name=name, spec=spec, stop_seconds=stop_seconds)
