"""One run as the page shows it: facts, cards, rows and pictures, in the order in which people read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..agreement.status import Status
from ..execution.agreement_rows import agreement_rows, worst_rows
from ..execution.facts import AuditLine
from ..protocol.keys import CaseKey
from ..store.frames import records
from . import charts, palette, words
from .agreement_tables import times
from .evidence import HEADLINES, Evidence, by_headline
from .pictures import Picture, caption_of, picture
from .quantity import ratio, seconds
from .steps import Steps


@dataclass(frozen=True)
class Headline:
    """A card: the arms of one case and purpose from the fastest, and what that means in words."""

    workload: str
    batch_size: int
    purpose: str
    rows: list[tuple[dict[str, Any], float | None]]
    """Of each arm, and its time in per cent of the longest; None without a time."""
    sentences: list[str]


class RunView:
    """What the template asks of one run."""

    def __init__(self, evidence: Evidence, colours: Mapping[str, int]) -> None:
        self.evidence, self._colours = evidence, colours
        self._rows = records(evidence.cells)
        self._backends = {row["arm"]: row["backend"] for row in self._rows}
        self.run, self.machine = evidence.run, evidence.machine
        self.base, self.theta = evidence.measured.base, evidence.measured.theta
        self.machine_name = evidence.machine_name

    @property
    def facts(self) -> dict[str, list[tuple[str, str]]]:
        """Headed lists of what the run was asked, what was found on the machine, and what each program said of itself."""
        asked = self.evidence.measured.settings
        found = {
            "settings": {**asked.chosen, **asked.files},
            "versions": self.run.versions,
            **self.machine["facts"],
        }
        programs = {str(key): facts.description for key, facts in self.evidence.programs.items()}
        parts = found | {"system": self.evidence.system} | programs
        return {
            head: list(flat(part))
            for head, part in parts.items()
            if isinstance(part, Mapping) and part
        }

    @property
    def left_out(self) -> list[str]:
        """What was not measured, or not ranked, and why; each reason once."""
        settings = self.evidence.measured.settings
        told = [*settings.notes, *(f"{name}: {why}" for name, why in settings.skipped.items())]
        grouped: dict[tuple[str, str, str], list[str]] = {}
        for row in self._rows:
            if row["status"] not in ("ok", "pending"):
                where = f"{row['workload']} batch {row['batch_size']}"
                grouped.setdefault((row["arm"], where, row["reason"] or row["status"]), []).append(
                    row["phase"]
                )
        return told + [
            f"{arm}, {where}, {words.listed(p)}: {why}" for (arm, where, why), p in grouped.items()
        ]

    @property
    def headlines(self) -> list[Headline]:
        """A card for each case and purpose that was timed."""
        return [
            self._headline(case, phase)
            for case in self.evidence.cases
            for phase in HEADLINES
            if any(
                row["phase"] == phase and row["call_s"] is not None for row in self.of_case(case)
            )
        ]

    def _headline(self, case: tuple[str, int], phase: str) -> Headline:
        rows = [row for row in self.of_case(case) if row["phase"] == phase]
        longest = max(row["call_s"] for row in rows if row["call_s"] is not None)
        bars = [
            100 * row["call_s"] / longest if row["call_s"] is not None else None for row in rows
        ]
        workload, batch_size = case
        return Headline(
            workload,
            batch_size,
            HEADLINES[phase],
            rows=list(zip(rows, bars, strict=True)),
            sentences=words.sentences(rows, self.base or "", self.theta),
        )

    def why(self, row: Mapping[str, Any]) -> str:
        """Why a cell that was timed has no clear verdict, or what speaks against its time."""
        return row["verdict_reason"] or self.evidence.time_doubts.get(row["cell_id"], "")

    @property
    def no_rates(self) -> set[tuple[str, int, str, str]]:
        """(workload, batch size, arm, phase) of cells whose rate is no figure."""
        return {(s.workload, s.batch_size, s.arm, s.phase) for s in self.evidence.shares if s.doubt}

    @property
    def cases(self) -> list[tuple[str, int]]:
        return self.evidence.cases

    def of_case(self, case: tuple[str, int]) -> list[dict[str, Any]]:
        """Rows of a case by phase, what matters most first; in each the fastest first, failures last."""
        rows = [row for row in self._rows if (row["workload"], row["batch_size"]) == case]
        order = by_headline(row["phase"] for row in rows)
        slow = float("inf")
        return sorted(
            rows,
            key=lambda row: (
                order.index(row["phase"]),
                slow if row["call_s"] is None else row["call_s"],
            ),
        )

    @property
    def fairness(self) -> Mapping[CaseKey, Sequence[AuditLine]]:
        """Lines of the fairness audit by case."""
        return self.evidence.facts.fairness

    @staticmethod
    def audited_arms(lines: Iterable[AuditLine]) -> list[str]:
        """Arms that any line of an audit has a value of, in their order."""
        return list(dict.fromkeys(arm for line in lines for arm in line.values))

    def agrees(self, row: Mapping[str, Any]) -> Status | None:
        return self.evidence.agrees(row["arm"], row["workload"])

    def backend_of(self, arm: str) -> str:
        """The backend of an arm that has cells."""
        return self._backends[arm]

    def place_of(self, arm: str) -> int:
        """Place of the colour of an arm that may have no cell."""
        backend = self._backends.get(arm) or arm.partition(":")[0]
        return self._colours.get(backend, palette.place(backend))

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The worst row for each arm, workload and element type."""
        rows = worst_rows(agreement_rows(records(self.evidence.agreement)))
        return [row.to_json() | {"status": row.status, "times": times(row)} for row in rows]

    @property
    def ratio_charts(self) -> list[Picture]:
        """One for each case that has ratios besides the base's own."""
        told = {
            case: [row for row in self.of_case(case) if row["ratio"] is not None]
            for case in self.cases
        }
        return [
            picture(
                caption_of(case),
                charts.ratios,
                [_ratio_point(row) for row in rows],
                self.theta,
                self._colours,
            )
            for case, rows in told.items()
            if rows
        ]

    @property
    def step_charts(self) -> list[Picture]:
        """One for each case: where the time of a training step goes."""
        found: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for steps in self.evidence.steps:
            if not all(part_s >= 0 for part_s in steps.stacked_s.values()):
                continue  # its generations lie too far apart
            found.setdefault((steps.workload, steps.batch_size), []).extend(_bars(steps))
        return [
            picture(caption_of(case), charts.training_steps, rows, self._colours)
            for case, rows in found.items()
        ]

    @property
    def trained(self) -> list[dict[str, Any]]:
        """Each training that the store holds: its last epoch, the seconds of all, and the target it had."""
        epochs, keys = self.evidence.epochs, ["workload", "dtype", "arm"]
        if epochs.empty:
            return []
        tasks = self.evidence.measured.settings.tasks
        last = epochs.assign(total_s=epochs.groupby(keys)["seconds"].transform("sum")).sort_values(
            "epoch", kind="stable"
        )
        rows = records(last.groupby(keys, sort=False).tail(1).sort_index())
        return [row | _goal(tasks.get(row["workload"], {})) for row in rows]

    @property
    def curves(self) -> list[Picture]:
        """Training loss and what is told of the test set, a pair of charts for each workload and element type."""
        drawn = []
        for (workload, dtype), part in self.evidence.epochs.groupby(
            ["workload", "dtype"], sort=False
        ):
            rows = [row | {"place": self.place_of(row["arm"])} for row in records(part)]
            for field, title, log in (("loss", "training loss", True), _test_figure(rows)):
                if charts.drawable(rows, field, log):
                    drawn.append(
                        picture(
                            f"{workload} in {dtype}: {title}", charts.curve, rows, field, title, log
                        )
                    )
        return drawn


def _test_figure(rows: Iterable[Mapping[str, Any]]) -> tuple[str, str, bool]:
    """(column, title, whether on a log axis) of what a test set tells: a regression has no accuracy."""
    counted = any(row["accuracy"] is not None for row in rows)
    return ("accuracy", "test accuracy", False) if counted else ("test_loss", "test loss", True)


def _goal(task: Mapping[str, Any]) -> dict[str, Any]:
    """The metric that training aimed at, and its target."""
    return {"metric": task.get("metric"), "target": task.get("target")}


def flat(part: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Nested facts as pairs of texts, keys joined by blanks; what is None was absent on the machine."""
    for key, value in part.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            yield from flat(value, name)
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(str, value)) or "none"
        else:
            yield name, "absent" if value is None else str(value)


def _ratio_point(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "phase": row["phase"], "arm": row["arm"], "backend": row["backend"],
        "ratio": row["ratio"], "low": row["ratio_low"], "high": row["ratio_high"],
        "decided": row["verdict"] not in (None, "UNDECIDED"), "label": f"{ratio(row['ratio'])}×",
    }  # fmt: skip


def _bars(steps: Steps) -> list[dict[str, Any]]:
    places = list(steps.seconds)
    parts_ms = {places.index(name): part_s * 1e3 for name, part_s in steps.stacked_s.items()}
    whole = {"end_ms": sum(parts_ms.values()), "label": seconds(steps.whole.value)}
    same = {"arm": steps.arm, "backend": steps.backend} | whole
    return [same | {"place": place, "ms": ms} for place, ms in parts_ms.items()]
