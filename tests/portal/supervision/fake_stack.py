"""A supervisor over small children, run as a process of its own by the tests.

Each argument is one child: ``name=behaviour``. Children are started from the last to the first.
"""

import os
import sys

from portal.embedded.child import ChildSpec
from portal.supervision.children import Child
from portal.supervision.plan import Plan
from portal.supervision.supervisor import Supervisor

BEHAVIOURS = {
    # says how it ends
    "polite": "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'bye\\n'), os._exit(0)))",
    "deaf": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "broken": "sys.exit('cannot work')",
    # like a web server whose workers outlive their parent
    "parent": "print('worker', subprocess.Popen(['sleep', '60']).pid, flush=True)",
}
PROGRAM = """
import os, signal, subprocess, sys, time
{behaviour}
print("pid", os.getpid(), flush=True)
while True:
    time.sleep(1)
"""


def main() -> int:
    """Run the children that the command line names."""
    supervisor = Supervisor()
    with supervisor.signals():
        for argument in reversed(sys.argv[1:]):
            name, _, behaviour = argument.partition("=")
            program = PROGRAM.format(behaviour=BEHAVIOURS[behaviour])
            spec = ChildSpec(
                command=[sys.executable, "-c", program], environment={"PATH": os.environ["PATH"]}
            )
            plan = Plan(name=name, spec=spec, stop_seconds=30, pause_seconds=0.01)
            supervisor.add(Child(plan))
        return supervisor.run(lambda: None)


if __name__ == "__main__":
    sys.exit(main())
