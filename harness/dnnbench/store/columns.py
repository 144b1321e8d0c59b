"""The one registry of frame columns: what every column that leaves the store holds,
and in which unit.
"""

from dataclasses import dataclass

TEXT = OBJECT = (
    "object"  # text is kept as object: a missing text is None in every version of pandas
)
COUNT = "int64"
MAYBE_COUNT = "Int64"
REAL = "float64"
TRUTH = "bool"


@dataclass(frozen=True)
class Column:
    """What a column holds: pandas dtype, unit ('' where there is none) and meaning, in a phrase."""

    dtype: str
    unit: str
    meaning: str


COLUMNS: dict[str, Column] = {
    # the run
    "run_id": Column(TEXT, "", "the run, by its time-ordered name"),
    "label": Column(TEXT, "", "name given to the run with --label, if any"),
    "revision": Column(TEXT, "", "git revision the run measured, if any"),
    "created": Column(TEXT, "UTC, ISO 8601", "when the run was created"),
    "started": Column(TEXT, "UTC, ISO 8601", "when the generation's processes were started"),
    "finished": Column(
        TEXT, "UTC, ISO 8601", "when the run or generation ended; missing while it goes on"
    ),
    "command": Column(OBJECT, "", "the command line as words, or the call from Python"),
    "settings": Column(OBJECT, "", "every setting of the run with its value, defaults too"),
    "seed": Column(COUNT, "", "seed of weights, data and visiting order"),
    "dnnbench_version": Column(TEXT, "", "version of dnnbench that measured"),
    "versions": Column(OBJECT, "", "version of each framework and library measured with"),
    "status": Column(
        TEXT,
        "",
        "run: running, complete, interrupted, failed; cell: pending, ok, failed, unsupported, "
        "skipped; check: agrees, differs, could not run, not compared, unsupported, undetermined",
    ),
    # the machine
    "machine_id": Column(TEXT, "", "the machine, by a hash of the hardware facts that name it"),
    "machine_class": Column(
        TEXT, "", "processor, cores and memory; missing where one is not known"
    ),
    "identity_version": Column(
        COUNT,
        "",
        "2; 1: named by an older dnnbench, without a fact that names machines now, "
        "and equal to no other",
    ),
    "aliases": Column(OBJECT, "", "ids that older versions gave to the machine"),
    "machine_label": Column(TEXT, "", "name given to the machine, if any"),
    "host_hash": Column(TEXT, "", "hash of the host name"),
    "facts": Column(OBJECT, "", "what was found out about the machine, or during the generation"),
    # the cell
    "cell_id": Column(
        TEXT, "", "the cell, by a hash of run, workload, spec, arm, batch size and phase"
    ),
    "workload": Column(TEXT, "", "name of the workload; empty for the control arm"),
    "spec_hash": Column(TEXT, "", "hash of the workload's specification"),
    "arm": Column(TEXT, "", "the arm as shown to a user, unique within its run"),
    "arm_key": Column(TEXT, "", "all that identifies the arm across runs, as canonical JSON"),
    "backend": Column(TEXT, "", "backend of the arm"),
    "mode": Column(TEXT, "", "how the backend executed: eager, compile, graph, xla, jit"),
    "device": Column(TEXT, "", "device the arm ran on"),
    "dtype": Column(TEXT, "", "floating-point type of weights and activations"),
    "threads": Column(COUNT, "", "threads the arm was given"),
    "environment": Column(
        TEXT, "", "name of the interpreter's environment; missing for dnnbench's own"
    ),
    "batch_size": Column(COUNT, "examples", "examples in a batch"),
    "phase": Column(
        TEXT, "", "what is timed: infer, forward, loss, gradients, train_step; control"
    ),
    "calls": Column(MAYBE_COUNT, "", "calls timed together as one visit"),
    "reason": Column(
        TEXT,
        "",
        "why a cell has no result, a check failed, or a figure is missing, as told to the user",
    ),
    "flops": Column(MAYBE_COUNT, "FLOP", "operations of one call by the spec, 2 a multiply-add"),
    "bytes": Column(MAYBE_COUNT, "B", "bytes one call must move at least, from the spec"),
    "peak_rss_bytes": Column(
        MAYBE_COUNT,
        "B",
        "peak resident memory of the worker process in one call, what was freed before given back",
    ),
    "peak_device_bytes": Column(
        MAYBE_COUNT, "B", "peak memory on the device; missing without a counter"
    ),
    "unequal": Column(
        TEXT, "", "why the cell may not be ranked against its group; missing where it may"
    ),
    "rank_group": Column(TEXT, "", "cells with the same group are ranked against each other"),
    # samples
    "generation": Column(COUNT, "", "fresh set of processes, counted from 0"),
    "round": Column(COUNT, "", "round within the generation"),
    "position": Column(COUNT, "", "place of the visit within its round"),
    "k": Column(COUNT, "", "calls in the visit"),
    "seconds": Column(
        REAL, "s", "wall time of a visit's k calls together; of an epoch's training alone"
    ),
    "flags": Column(
        COUNT,
        "bits",
        "1 steal, 2 CPU pressure, 4 throttled, 8 no steady state, 16 CPU lost to others, "
        "32 GPU slowed, 64 GPU shared, 128 paused, 256 waited for a CPU, 512 a single call, in no "
        "statistic of visits",
    ),
    # first calls
    "import_s": Column(REAL, "s", "importing the framework"),
    "build_s": Column(REAL, "s", "building the program"),
    "first_call_s": Column(REAL, "s", "the first call, compilation included"),
    # agreement
    "kind": Column(
        TEXT,
        "",
        "what was compared: outputs, loss, gradients, weights@1, state, ...; else why nothing was",
    ),
    "optimizer": Column(TEXT, "", "optimizer of the check; empty where none took part"),
    "ratio": Column(
        REAL,
        "1",
        "of agreement: worst error / allowance, missing where nothing was compared; of a summary "
        "and of a finding: seconds of arm / base",
    ),
    "tensor": Column(TEXT, "", "name of the worst tensor"),
    "tensors": Column(
        MAYBE_COUNT, "", "tensors of that kind, missing where an older dnnbench checked"
    ),
    "ok": Column(
        TRUTH,
        "",
        "whether nothing speaks against the arm: it agrees, is undetermined, or unsupported",
    ),
    # findings of a gate
    "stage": Column(
        TEXT,
        "",
        "of a gate: screen, which flags cells, confirm, which judges them, or confirm_again, which "
        "judges those that stayed undecided",
    ),
    "p": Column(REAL, "1", "p value of not slower by more than theta; missing for a screen"),
    "threshold": Column(REAL, "1", "what Holm's procedure holds p against; missing for a screen"),
    "theta": Column(REAL, "1", "the slowdown that passes of the cell"),
    "flagged": Column(TRUTH, "", "whether the screen asked for a confirmation"),
    "answered": Column(TRUTH, "", "whether the stage had an interval that nothing speaks against"),
    "overruled": Column(TRUTH, "", "whether the reason speaks against the interval itself"),
    # figures
    "figure": Column(
        TEXT, "", "what was counted of a call: operators, flops, graph_breaks, page_faults, ..."
    ),
    "value": Column(REAL, "see unit", "how many; missing where it could not be counted"),
    "unit": Column(TEXT, "", "of the value: operators, B, FLOP, ...; empty where it is missing"),
    "figure_kind": Column(
        TEXT, "", "deterministic: the same in every process of a version; counted: nearly so"
    ),
    # training
    "epoch": Column(COUNT, "", "epoch of training, counted from 1"),
    "loss": Column(REAL, "", "mean training loss over the epoch"),
    "accuracy": Column(
        REAL, "1", "share of test answers that are right after the epoch; none for a regression"
    ),
    "test_loss": Column(
        REAL,
        "",
        "the task's loss over all test answers after the epoch; "
        "missing where an older dnnbench trained",
    ),
    "n_test": Column(
        COUNT, "answers", "test answers: examples, or the labels of a sequence that count"
    ),
    "wrong": Column(COUNT, "answers", "test answers that are wrong"),
    # statistics, made by others from samples and brought back for export
    "call_s": Column(REAL, "s", "wall time of one call: median over generations of medians"),
    "call_s_low": Column(
        REAL,
        "s",
        "lower end of the 95 % interval of call_s; missing where something speaks against it",
    ),
    "call_s_high": Column(REAL, "s", "upper end of the 95 % interval of call_s"),
    "generations": Column(MAYBE_COUNT, "", "generations that the estimate rests on"),
    "visits": Column(MAYBE_COUNT, "", "visits that the estimate rests on"),
    "rounds_dropped": Column(MAYBE_COUNT, "", "rounds left out because of contention"),
    "no_steady_state": Column(
        MAYBE_COUNT, "", "generations whose warm-up ended unsteady, at its cap"
    ),
    "base": Column(TEXT, "", "arm that the ratio refers to"),
    "ratio_low": Column(
        REAL,
        "1",
        "lower end of the 95 % interval of the ratio; missing where verdict_reason overrules it",
    ),
    "ratio_high": Column(REAL, "1", "upper end of the 95 % interval of the ratio"),
    "verdict": Column(
        TEXT,
        "",
        "against the base: FASTER, SLOWER, SAME, UNDECIDED; of a gate NOT RANKED too, and of its "
        "confirmations CONFIRMED SLOWER or NOT CONFIRMED",
    ),
    "verdict_reason": Column(TEXT, "", "why the verdict is not a clear one; missing where it is"),
    "smallest_difference": Column(
        REAL, "1", "smallest relative difference that the run could have seen"
    ),
}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FRAMES: dict[str, tuple[str, ...]] = {
    "runs": _names(
        """run_id label revision created finished status command settings seed dnnbench_version
        versions machine_id machine_label machine_class host_hash"""
    ),
    "machines": _names(
        "machine_id machine_label machine_class host_hash facts identity_version aliases"
    ),
    "cells": _names(
        """run_id label revision created machine_id machine_label machine_class dnnbench_version
        versions cell_id workload spec_hash arm arm_key backend mode device dtype threads
        environment batch_size phase calls status reason flops bytes peak_rss_bytes
        peak_device_bytes unequal rank_group"""
    ),
    "samples": _names("cell_id generation round position k seconds flags"),
    "generations": _names("run_id generation started finished facts"),
    "first_calls": _names(
        "run_id arm workload batch_size phase generation import_s build_s first_call_s"
    ),
    "agreement": _names(
        "run_id arm workload dtype kind optimizer status ratio tensor tensors ok reason"
    ),
    "findings": _names(
        """run_id cell_id stage base ratio ratio_low ratio_high generations p threshold flagged
        answered overruled verdict reason smallest_difference theta"""
    ),
    "figures": _names("run_id cell_id generation figure value unit figure_kind reason"),
    "epochs": _names(
        "run_id workload arm dtype epoch loss test_loss accuracy wrong n_test seconds"
    ),
    "summary": _names(
        """cell_id call_s call_s_low call_s_high generations visits rounds_dropped no_steady_state
        base ratio ratio_low ratio_high verdict verdict_reason smallest_difference"""
    ),
}


def render_frames() -> str:
    """Markdown tables of all frames: column, type, unit, meaning; what results/README.md shows."""
    return "\n\n".join(f"### {name}\n\n{_table(columns)}" for name, columns in FRAMES.items())


def _table(names: tuple[str, ...]) -> str:
    rows = [_row(name, COLUMNS[name]) for name in names]
    return "\n".join(["| column | type | unit | meaning |", "|---|---|---|---|", *rows])


def _row(name: str, column: Column) -> str:
    return f"| `{name}` | {column.dtype} | {column.unit} | {column.meaning} |"
