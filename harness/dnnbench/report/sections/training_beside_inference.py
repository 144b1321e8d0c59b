"""Training beside inference: what each computes, how long it takes, what it holds and how long it
takes to start.
"""

from dataclasses import replace

from ...protocol.keys import CaseKey
from ..builders import Builder
from ..cells import arm_cell, case_cell, figure, phase_cell, scaled_figure
from ..evidence import Evidence
from ..purposes import Purpose
from ..quantity import digits, seconds, throughput
from ..section import Cell, Column, Section, Table

COLUMNS = (
    Column("workload", once=True),
    Column("arm"),
    Column("purpose"),
    Column("operations a call", number=True, spare=5),
    Column("operations a second", number=True, spare=4),
    Column("time a call", number=True),
    Column("time an example", number=True, spare=3),
    Column("a second", number=True),
    Column("peak memory", number=True, spare=6),
    Column("on the device", number=True, spare=1),
    Column("start to first result", number=True, spare=2),
)
LEAD = (
    "Training changes the weights and pays for backpropagation and the update; inference only "
    "answers. Operations are counted from the network's specification, 2 a multiply-add; "
    "everything else is measured."
)
NOTE = (
    "Peak memory is the worker process's resident memory, the framework included. Start to first "
    "result: import, build and first call, as it is every time but the first."
)


def training_beside_inference(evidence: Evidence) -> Section | None:
    """None where neither was timed."""
    purposes = evidence.purposes
    if not purposes:
        return None
    cases = dict.fromkeys(CaseKey(p.workload, p.batch_size) for p in purposes)
    groups = tuple(_group(evidence, case) for case in cases)
    return Section(
        id="purposes",
        title="Training beside inference",
        sentences=tuple(_times_as_long(purposes)),
        tables=(Table(COLUMNS, groups, note=NOTE),),
        lead=LEAD,
        brief="operations by the spec, everything else measured",
    )


def _group(evidence: Evidence, case: CaseKey) -> tuple[tuple[Cell, ...], ...]:
    """The rows of one case."""
    purposes = evidence.purposes
    of_case = [
        p for p in purposes if (p.workload, p.batch_size) == (case.workload, case.batch_size)
    ]
    return tuple(_row(evidence, purpose) for purpose in of_case)


def _times_as_long(purposes: list[Purpose]) -> list[str]:
    """How many times as long a training step takes as an inference, from the least to the most."""
    by_key = {purpose.key: purpose for purpose in purposes}
    ratios = [
        purpose.call_s / by_key[(*purpose.key[:3], "infer")].call_s
        for purpose in purposes
        if purpose.phase == "train_step" and (*purpose.key[:3], "infer") in by_key
    ]
    if not ratios:
        return []
    least, most = digits(min(ratios), 2), digits(max(ratios), 2)
    times = least if least == most else f"{least} to {most}"
    return [f"A training step takes {times} times as long as an inference of the same batch"]


def _row(evidence: Evidence, purpose: Purpose) -> tuple[Cell, ...]:
    is_none = purpose.key in evidence.no_rates
    unit = evidence.unit_of(purpose.workload)
    return (
        case_cell(purpose.workload, purpose.batch_size),
        arm_cell(purpose.arm, purpose.backend),
        replace(phase_cell(purpose.phase, purpose.name), remark=purpose.meaning),
        scaled_figure(purpose.flops, "FLOP"),
        Cell("no figure") if is_none else scaled_figure(purpose.flops_per_s, "FLOP/s"),
        figure(purpose.call_s, seconds),
        figure(purpose.example_s, seconds),
        figure(purpose.examples_per_s * unit.each, lambda n: f"{throughput(n)} {unit.name}"),
        scaled_figure(purpose.peak_rss_bytes, "B"),
        scaled_figure(purpose.peak_device_bytes, "B"),
        figure(purpose.start_s, seconds),
    )


BUILDER = Builder(40, training_beside_inference)
