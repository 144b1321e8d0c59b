"""A worker's service: dnnbench's Program and the script of its cell, in one process, visited in
turn.
"""

import math
import runpy
import tempfile
from pathlib import Path
from statistics import median

from beside import VISIT_S, WARM_VISITS, SideVisit
from dnnbench.data.dataset import load
from dnnbench.execution.batch import timing_batch
from dnnbench.host.clock import now
from dnnbench.host.placement import place, waited_share
from dnnbench.plugins.discovery import load_backend, load_script_writer, plugins
from dnnbench.scripts.assembling import script
from dnnbench.scripts.provenance import Provenance
from dnnbench.scripts.writer import ScriptRequest
from dnnbench.spec.phases import MUTATING, Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from dnnbench.worker.bench import Bench, settle
from dnnbench.worker.services.arm import StartRequest
from dnnbench.worker.services.timing import Visit

SIDES = ("dnnbench", "script")
NOWHERE = Provenance("none", "none", "0", None, 0, 1, "this machine", {}, "initial ones of seed 0")


class ByScript:
    """What a script defines, at the bench: its own start, call and wait."""

    def __init__(self, names: dict, phase: str):
        self._start, self._call, self._wait = (names[n] for n in ("start", "call", "wait"))
        self._restarts = phase in MUTATING

    def warm_up(self, phase: str) -> None:
        """As `Bench.warm_up`, as far as the threads go."""
        self._start()
        self._placement = place(lambda: self._wait(self._call()))

    def visit(self, phase: str, calls: int) -> Visit:
        """As `Bench.visit`."""
        if self._restarts:
            self._start()
        with self._placement.held():
            settle(self._call, self._wait)
            before = self._placement.waits_s()
            begin = now()
            for _ in range(calls):
                self._wait(self._call())
            elapsed = now() - begin
            after = self._placement.waits_s()
        return Visit(elapsed, waited_share(before, after, elapsed))


class BesideScript:
    """One arm's Programs, each beside its script."""

    def start(self, request: StartRequest) -> dict[str, str]:
        """Import the framework; its versions."""
        self._arm = request.arm
        self._backend = load_backend(request.target)
        self._backend.configure(self._arm)
        self._writer = load_script_writer(plugins().backend(self._arm.backend).script)
        return self._backend.versions()

    def visits(self, spec: Workload, phase: str, seconds: float) -> list[SideVisit]:
        """Of both sides in turn for so many seconds; who is first changes each round."""
        weights = initial_weights(spec.model, 0)
        batch = timing_batch(load(spec), spec.batch_size, 0)
        program = self._backend.build(spec, weights, self._arm, 0)
        asked = ScriptRequest(spec, self._arm, Phase(phase), 0, batch, weights, "beside")
        bench, by_script = Bench(program, batch, [Phase(phase)]), self._script(asked)
        sides = dict(zip(SIDES, (bench, by_script), strict=True))
        bench.first_call(phase)
        calls = math.ceil(VISIT_S / min(_warm_s(side, phase) for side in sides.values()))
        visits, end, number = [], now() + seconds, 0
        while now() < end or number < 3:
            order = SIDES[:: 1 if number % 2 else -1]
            for position, side in enumerate(order):
                elapsed = sides[side].visit(phase, calls).seconds
                visits.append(SideVisit(spec.name, phase, side, number, position, calls, elapsed))
            number += 1
        bench.close()
        return visits

    def _script(self, request: ScriptRequest) -> ByScript:
        made = script(self._writer, request, NOWHERE)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / made.name
            path.write_text(made.text)
            for name, content in made.beside.items():
                path.with_name(name).write_bytes(content)
            return ByScript(runpy.run_path(str(path)), request.phase)


def _warm_s(side: Bench | ByScript, phase: str) -> float:
    """Seconds of a call of a side whose threads have their places."""
    side.warm_up(phase)
    return median(side.visit(phase, 1).seconds for _ in range(WARM_VISITS))
