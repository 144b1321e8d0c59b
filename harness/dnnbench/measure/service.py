"""What a worker does when it is asked: the methods a parent may call, over one backend and one arm."""

from pathlib import Path

from ..errors import PluginError
from ..numerics.check import check
from ..numerics.reference import load_reference, make_reference, save_reference
from ..plugins.discovery import load_backend, plugins
from ..protocol.arm import Arm
from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from .bench import Bench
from .classroom import Classroom
from .clock import now
from .control import Control


class Service:
    """Holds the backend that `start` imports, and the programs built since, by a key of the caller's."""

    def __init__(self) -> None:
        self._benches: dict[str, Bench] = {}
        self._classrooms: dict[str, Classroom] = {}
        self._control: Control | None = None

    def start(self, arm: dict) -> dict:
        """Import the backend and configure the process; seconds and versions."""
        begin = now()
        self._arm = Arm.from_json(arm)
        self._backend = load_backend(plugins().backend(self._arm.backend))
        self._backend.configure(self._arm)
        return {"import_s": now() - begin, "versions": self._backend.versions()}

    def control(self, calls: int) -> float:
        """Seconds of one visit of the control arm; needs no `start`."""
        if self._control is None:
            self._control = Control()
        return self._control.visit(calls)

    def devices(self) -> list[dict]:
        """Every device the framework can use here."""
        return [device._asdict() | {"name": str(device)} for device in self._backend.devices()]

    def unsupported(self, workload: dict) -> str | None:
        """Why the arm cannot run the workload, or None."""
        return self._backend.unsupported(Workload.model_validate(workload), self._arm)

    def build(self, key: str, workload: dict, weights: dict, batch: dict, seed: int) -> dict:
        """Build a program at the bench; seconds, its facts, and the pieces it can run alone."""
        begin = now()
        program = self._program(workload, weights, seed)
        build_s = now() - begin
        self._benches[key] = Bench(program, _batch(batch))
        return {"build_s": build_s, "facts": self._benches[key].facts(), "pieces": self._benches[key].pieces()}

    def first_call(self, key: str, phase: str) -> float:
        """Seconds of a phase's first call."""
        return self._benches[key].first_call(phase)

    def warm_up(self, key: str, phase: str) -> dict:
        """Seconds of a warm call, and whether it settled."""
        seconds, settled = self._benches[key].warm_up(phase)
        return {"seconds": seconds, "settled": settled}

    def visit(self, key: str, phase: str, calls: int) -> float:
        """Seconds of one visit."""
        return self._benches[key].visit(phase, calls)

    def peaks(self, key: str, phase: str) -> dict:
        """Most memory held during one call of a phase."""
        return self._benches[key].peaks(phase)

    def facts(self, key: str) -> dict:
        """What a program says of itself by now."""
        return self._benches[key].facts()

    def drop(self, key: str) -> None:
        """Close a program."""
        self._benches.pop(key).close()

    def make_reference(self, workload: dict, batches: list[dict], steps: list[int], seed: int, path: str) -> None:
        """Write the reference of a workload, unless it is there already."""
        spec = Workload.model_validate(workload)
        weights = initial_weights(spec.model, seed)

        def build_in(mode, dtype):
            return lambda variant: self._backend.build(
                variant, weights, Arm(self._arm.backend, mode, dtype=dtype), seed
            )

        save_reference(make_reference(build_in, spec, [_batch(b) for b in batches], steps), Path(path))

    def check(
        self, workload: dict, dtype: str, batches: list[dict], steps: list[int], seed: int, path: str
    ) -> list[dict]:
        """The arm held against a reference in one element type: a row for each kind of tensor."""
        spec, arm = Workload.model_validate(workload), self._arm.with_dtype(dtype)
        if reason := self._backend.unsupported(spec, arm):
            raise PluginError(reason)
        weights = initial_weights(spec.model, seed)

        def build(variant: Workload) -> Program:
            return self._backend.build(variant, weights, arm, seed)

        rows = check(build, spec, dtype, load_reference(Path(path)), [_batch(b) for b in batches], steps)
        return [row._asdict() | {"ok": row.ok} for row in rows]

    def enrol(self, key: str, workload: dict, weights: dict, train: dict, batch_size: int, seed: int) -> dict:
        """Build a program that will learn; seconds of building and of the first steps."""
        begin = now()
        program = self._program(workload, weights, seed)
        build_s = now() - begin
        self._classrooms[key] = Classroom(program, Workload.model_validate(workload), _batch(train), batch_size, seed)
        return {"build_s": build_s, "first_call_s": self._classrooms[key].warm_up(), "facts": program.facts()}

    def epoch(self, key: str, number: int) -> dict:
        """One pass over the training set."""
        return self._classrooms[key].epoch(number)

    def predictions(self, key: str, inputs: dict, targets):
        """What the program predicts for each example."""
        return self._classrooms[key].predictions(inputs, targets)

    def predict(self, workload: dict, weights: dict, batch: dict):
        """Predictions of given weights for every example of a batch, in the workload's batch size."""
        spec = Workload.model_validate(workload)
        program = self._program(workload, weights, 0)
        whole = _batch(batch)
        return Classroom(program, spec, whole, spec.batch_size, 0).predictions(whole.inputs, whole.targets)

    def learned(self, key: str) -> dict:
        """Parameters and running statistics by name."""
        return self._classrooms[key].weights()

    def _program(self, workload: dict, weights: dict, seed: int) -> Program:
        spec = Workload.model_validate(workload)
        if reason := self._backend.unsupported(spec, self._arm):
            raise PluginError(reason)
        return self._backend.build(spec, weights, self._arm, seed)


def _batch(parts: dict) -> Batch:
    return Batch(**parts)
