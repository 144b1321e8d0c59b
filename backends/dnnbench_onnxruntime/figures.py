"""What is counted of a call: operators of the optimised graph."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from dnnbench.protocol.figures import Figure

from .profiling import KERNEL
from .session import make_session


def of_session(network, arm, run, sessions):
    """Figures of one call of a session of its own that writes down what it does.

    run: calls a session once, with its wait.  sessions: that the program has made.
    """
    with TemporaryDirectory() as folder:
        session = make_session(network, arm, profile=str(Path(folder) / "trace")).session
        run(session)
        events = json.loads(Path(session.end_profiling()).read_bytes())
    kernels = [e for e in events if e.get("cat") == "Node" and e["name"].endswith(KERNEL)]
    return [
        Figure("operators", len(kernels), "operators"),
        Figure("compilations", sessions, "sessions"),
    ]
