"""What a worker does when it is asked: the methods a parent may call, over one backend and one arm."""

import reprlib
import resource
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from ..agreement.check import check
from ..agreement.grid import batch_on_grid, on_grid
from ..agreement.keys import Tensors, as_texts
from ..agreement.nodes import compare_nodes, observe_nodes
from ..agreement.observing import Build
from ..agreement.probe import product_bits
from ..agreement.reference import make_reference
from ..agreement.reference_files import load_reference, save_reference
from ..agreement.replay import Replay
from ..errors import PluginError
from ..host.affinity import spell, threads_mask
from ..host.clock import now
from ..host.energy import meter
from ..host.memory import give_back
from ..plugins.discovery import load_backend
from ..protocol.arm import Arm
from ..protocol.backend import Backend, capabilities_of
from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from .bench import Bench
from .control import Control
from .noop import NoopProgram
from .peaks import measure_peaks
from .training import TrainingSession


class Service:
    """Holds the backend that `start` imports, and the programs built since, by a key of the caller's."""

    def __init__(self) -> None:
        self._benches: dict[str, Bench] = {}
        self._sessions: dict[str, TrainingSession] = {}
        self._control: Control | None = None
        self._noop: Bench | None = None
        self._product_bits: float | None = None

    def start(self, arm: dict, target: str) -> dict:
        """Import the backend that `target` names, and configure the process; seconds and versions."""
        begin = now()
        self._arm = Arm.from_json(arm)
        self._backend = load_backend(target)
        self._backend.configure(self._arm)
        return {"import_s": now() - begin, "versions": texts_of(self._backend.versions())}

    def control(self, calls: int) -> float:
        """Seconds of one visit of the control arm; needs no `start`."""
        if self._control is None:
            self._control = Control()
        return self._control.visit(calls)

    def noop(self, calls: int, timing: str) -> float:
        """Seconds of one visit of the no-op program; needs no `start`."""
        if self._noop is None:
            self._noop = Bench(NoopProgram(), None, settle_s=0.0)
        return self._noop.visit("infer", calls, timing).seconds

    def switches(self) -> int:
        """Involuntary context switches of all threads of this process so far; needs no `start`."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw

    def devices(self) -> list[dict]:
        """Every device the framework can use here."""
        return [asdict(device) | {"name": str(device)} for device in self._backend.devices()]

    def unsupported(self, workload: dict) -> str | None:
        """Why the arm cannot run the workload, or None."""
        return refusal(self._backend, Workload.model_validate(workload), self._arm)

    def build(self, key: str, workload: dict, weights: dict, batch: dict, seed: int) -> dict:
        """Build a program at the bench; seconds, its facts, the pieces it can run alone."""
        begin = now()
        program = self._program(workload, weights, seed)
        build_s = now() - begin
        self._benches[key] = Bench(program, _batch(batch))
        return {"build_s": build_s, "facts": self.facts(key), "pieces": self._benches[key].pieces()}

    def first_call(self, key: str, phase: str) -> float:
        """Seconds of a phase's first call."""
        return self._benches[key].first_call(phase)

    def warm_up(self, key: str, phase: str) -> dict:
        """Seconds of a warm call, and whether it settled."""
        seconds, settled = self._benches[key].warm_up(phase)
        return {"seconds": seconds, "settled": settled}

    def visit(self, key: str, phase: str, calls: int, timing: str) -> dict:
        """One visit, `latency` or `throughput`: its seconds, and the share that a thread waited for a CPU."""
        return self._benches[key].visit(phase, calls, timing)._asdict()

    def peaks(self, key: str, phase: str) -> dict:
        """Most memory held during one call of a phase."""
        return self._benches[key].peaks(phase)

    def parts(self, key: str) -> dict:
        """Bytes of a program's weights and of its optimizer's slots."""
        return self._benches[key].parts()

    def audit(self, key: str, calls: int) -> dict:
        """What the bench finds wrong with itself."""
        return self._benches[key].audit(calls).to_json()

    def audit_rate(self, key: str, phase: str, calls: int, trains: bool) -> dict:
        """What speaks against a rate near or above the measured peak."""
        return self._benches[key].audit_rate(phase, calls, trains).to_json()

    def energy(self, key: str, phase: str) -> dict | None:
        """Joules a call and the counter that told them; None where the device has no counter."""
        counter = meter(self._arm.device)
        if counter is None:
            return None
        return {"joules": self._benches[key].energy(phase, counter), "source": counter.source}

    def device_time(self, key: str, phase: str, calls: int) -> float | None:
        """Seconds a call by the device's own clock; None where it has none beside the host's."""
        return self._benches[key].device_call_s(phase, calls)

    def machine_peaks(self) -> dict:
        """The best rates this arm reaches in products and in streaming memory."""

        def build(workload: Workload, weights: dict) -> Program:
            return self._backend.build(workload, weights, self._arm)

        return measure_peaks(build, self._arm.precision.itemsize).to_json()

    def facts(self, key: str) -> dict:
        """What a program says of itself by now, to how many bits this process multiplies, and on which CPUs."""
        measured = {"product_bits": self._measured_product_bits(), "cpus": spell(threads_mask())}
        return self._benches[key].facts() | measured

    def drop(self, key: str) -> None:
        """Close a program."""
        self._benches.pop(key).close()

    def make_reference(
        self, workload: dict, batches: list[dict], steps: list[int], seed: int, path: str, study: str
    ) -> None:
        """Write the reference of a workload; in a lower precision, from weights and inputs that are its numbers."""
        spec = Workload.model_validate(workload)
        weights = on_grid(initial_weights(spec.model, seed), study)

        def build_in(mode, dtype):
            return lambda variant: self._backend.build(
                variant, weights, Arm(self._arm.backend, mode, dtype=dtype), seed
            )

        fed = [batch_on_grid(_batch(b), study) for b in batches]
        save_reference(make_reference(build_in, spec, fed, steps, study), Path(path))

    def check(
        self, workload: dict, dtype: str, batches: list[dict], steps: list[int], seed: int, path: str, study: str
    ) -> list[dict]:
        """The arm held against a reference in one element type: a row for each kind of tensor."""
        spec = Workload.model_validate(workload)
        build = self._builder(spec, dtype, seed, study)
        fed = [batch_on_grid(_batch(b), study) for b in batches]
        arm = self._arm.with_dtype(dtype)
        reference = load_reference(Path(path))
        rows = check(build, spec, dtype, reference, fed, steps, lambda variant: refusal(self._backend, variant, arm))
        give_back()
        return [row.to_json() for row in rows]

    def study_nodes(self, replay: dict, study: str, seed: int, path: str) -> None:
        """Write the reference of a replay, node by node."""
        case = _replay_on_grid(replay, study, seed)

        def build_in(mode, dtype):
            arm = Arm(self._arm.backend, mode, dtype=dtype)
            return lambda variant: self._backend.build(variant, case.weights, arm, seed)

        found = make_reference(build_in, case.workload, case.batches, case.steps, study, look=observe_nodes)
        save_reference(found, Path(path))

    def node_values(self, replay: dict, study: str, seed: int) -> dict:
        """What this backend computes of a replay in float64, node by node."""
        case = _replay_on_grid(replay, study, seed)
        return as_texts(self._observed(case, self._arm.with_dtype("float64"), seed))

    def explain(self, replay: dict, dtype: str, study: str, seed: int, path: str, tensors: bool) -> dict:
        """The arm held against a replay's reference: `comparisons`, and with `tensors` what disagrees."""
        case = _replay_on_grid(replay, study, seed)
        seen = self._observed(case, self._arm.with_dtype(dtype), seed)
        comparisons = compare_nodes(load_reference(Path(path)), seen, case.workload, dtype)
        wrong = {c.key: seen[c.key] for c in comparisons if tensors and not c.ok and c.key in seen}
        return {"comparisons": [c.to_json() for c in comparisons], "tensors": as_texts(wrong)}

    def _builder(self, spec: Workload, dtype: str, seed: int, study: str) -> Build:
        """Builds variants of a workload in a type, from weights that are numbers of the study; PluginError if it cannot be."""
        arm = self._arm.with_dtype(dtype)
        if reason := refusal(self._backend, spec, arm):
            raise PluginError(reason)
        weights = on_grid(initial_weights(spec.model, seed), study)
        return lambda variant: self._backend.build(variant, weights, arm, seed)

    def _observed(self, case: Replay, arm: Arm, seed: int) -> Tensors:
        return observe_nodes(
            lambda w: self._backend.build(w, case.weights, arm, seed), case.workload, case.batches, case.steps
        )

    def enrol(self, key: str, workload: dict, weights: dict, train: dict, batch_size: int, seed: int) -> dict:
        """Build a program that will learn; seconds of building and of the first steps."""
        begin = now()
        program = self._program(workload, weights, seed)
        build_s = now() - begin
        self._sessions[key] = TrainingSession(program, Workload.model_validate(workload), _batch(train), batch_size, seed)
        return {"build_s": build_s, "first_call_s": self._sessions[key].warm_up(), "facts": program.facts()}

    def epoch(self, key: str, number: int) -> dict:
        """One pass over the training set."""
        return self._sessions[key].epoch(number)

    def examine(self, key: str, test: dict) -> dict:
        """How well a program does on a batch by now, as the fields of a Score."""
        return asdict(self._sessions[key].examine(_batch(test))[1])

    def predict(self, workload: dict, weights: dict, batch: dict) -> dict:
        """`predictions` of given weights for every example of a batch, in the workload's batch size, and their `score`."""
        spec = Workload.model_validate(workload)
        program = self._program(workload, weights, 0)
        whole = _batch(batch)
        predictions, score = TrainingSession(program, spec, whole, spec.batch_size, 0).examine(whole)
        return {"predictions": predictions, "score": asdict(score)}

    def learned(self, key: str) -> dict:
        """Parameters and running statistics by name."""
        return self._sessions[key].weights()

    def _measured_product_bits(self) -> float:
        """Once a process: the same kernels serve every program."""
        if self._product_bits is None:
            self._product_bits = round(product_bits(lambda w, weights: self._backend.build(w, weights, self._arm)), 1)
        return self._product_bits

    def _program(self, workload: dict, weights: dict, seed: int) -> Program:
        spec = Workload.model_validate(workload)
        if reason := refusal(self._backend, spec, self._arm):
            raise PluginError(reason)
        return self._backend.build(spec, weights, self._arm, seed)


def refusal(backend: Backend, workload: Workload, arm: Arm) -> str | None:
    """Why an arm cannot run a workload at all, or None."""
    return capabilities_of(backend, workload, arm).refusal


def texts_of(versions: Mapping[str, str]) -> dict[str, str]:
    """A backend's versions; TypeError unless they are texts by name."""
    if isinstance(versions, Mapping) and all(isinstance(text, str) for item in versions.items() for text in item):
        return dict(versions)
    raise TypeError(f"the backend's versions() gave {reprlib.repr(versions)}, expected texts by name")


def _batch(parts: dict) -> Batch:
    return Batch(**parts)


def _replay_on_grid(parts: dict, study: str, seed: int) -> Replay:
    """With every weight, those that it does not bring being initial ones."""
    case = Replay.from_json(parts)
    weights = on_grid(initial_weights(case.workload.model, seed) | dict(case.weights), study)
    batches = tuple(batch_on_grid(batch, study) for batch in case.batches)
    return replace(case, batches=batches, weights=weights)
