"""What pytest-benchmark stored: its JSON, with every round or with statistics alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from ...wording import counted
from .foreign import ForeignBenchmark, ForeignRun

TOOL = "pytest-benchmark"
NO_COMMIT = ("", "unversioned", "unknown")
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
MOST_ROUNDS = 1_000_000
FIRST_YEAR, LAST_YEAR = 1970, 9000


def _in_utc(time: datetime) -> datetime:
    """The time in UTC, which pytest-benchmark means where it names no zone."""
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError(f"expected a date of {FIRST_YEAR} to {LAST_YEAR}")
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


class Stats(BaseModel):
    """Seconds a call.  data: of every round, where it was stored."""

    median: Seconds
    iterations: Annotated[int, Field(ge=1)] = 1
    data: Annotated[list[Seconds], Field(max_length=MOST_ROUNDS)] = []


class Benchmark(BaseModel):
    """One test, or one of its parameter sets."""

    fullname: Annotated[str, Field(min_length=1)]
    stats: Stats


class Commit(BaseModel):
    """What git told."""

    id: str | None = None
    dirty: bool | None = False


class Document(BaseModel):
    """The whole file."""

    benchmarks: list[Benchmark]
    created: Annotated[datetime, Field(alias="datetime"), AfterValidator(_in_utc)]
    version: str = ""
    machine_info: dict[str, Any] = {}
    commit_info: Commit = Commit()


def is_document(content: object) -> bool:
    """Whether pytest-benchmark may have written it."""
    return isinstance(content, dict) and {"benchmarks", "machine_info"} <= content.keys()


def foreign_run(document: Document) -> ForeignRun:
    """The run of the file; a benchmark whose rounds took no time is left out."""
    info = document.machine_info
    timed = [b for b in document.benchmarks if _is_timed(b.stats)]
    others = (b for b in document.benchmarks if not _is_timed(b.stats))
    left_out = {b.fullname: "a round took 0 s" for b in others}
    return ForeignRun(
        tool=TOOL,
        tool_version=document.version,
        created=document.created,
        revision=_revision(document.commit_info),
        host=str(info.get("node", "")),
        hardware=dict(_hardware(info)),
        versions={"python": str(info.get("python_version", ""))},
        benchmarks=[_benchmark(b) for b in timed],
        kernel=_kernel(info),
        notes=tuple(_notes(sum(not b.stats.data for b in timed))),
        left_out=left_out,
    )


def _notes(medians: int) -> Iterator[str]:
    if medians:
        yield f"of {counted(medians, 'benchmark')} the median alone was stored"


def _is_timed(stats: Stats) -> bool:
    return stats.median > 0 and 0 not in stats.data


def _benchmark(benchmark: Benchmark) -> ForeignBenchmark:
    stats = benchmark.stats
    return ForeignBenchmark(benchmark.fullname, stats.data or [stats.median], stats.iterations)


def _revision(commit: Commit) -> str | None:
    if commit.id is None or commit.id in NO_COMMIT:
        return None
    return f"{commit.id}+" if commit.dirty else commit.id


def _kernel(info: dict[str, Any]) -> str:
    """As dnnbench names one: "Linux 6.1"."""
    return " ".join(str(info[part]) for part in ("system", "release") if info.get(part))


def _hardware(info: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The facts that the file tells of the machine, under dnnbench's names."""
    cpu = info.get("cpu")
    cpu = cpu if isinstance(cpu, dict) else {}
    yield "architecture", info.get("machine")
    yield "cpu_model", cpu.get("brand_raw") or cpu.get("brand") or info.get("processor") or None
    yield "logical_cpus", cpu.get("count")
