"""What dnnbench.toml, or [tool.dnnbench] of pyproject.toml, may hold.

Keys are the command line's options without their dashes in front, and take the same values.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from ..execution import spelling
from ..execution.gate_policy import Inconclusive
from ..protocol.dtypes import DType
from ..spec.phases import Phase
from ..stats.split import FEWEST


def _spelt(read: Callable[[str], object], wanted: str) -> BeforeValidator:
    """Keeps a value as a text of the command line; `read` refuses what cannot be meant."""

    def text(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float | list):
            raise ValueError(f"expected {wanted}")
        written = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        read(written)
        return written

    return BeforeValidator(text)


def _schema(wanted: str, *kinds: str) -> WithJsonSchema:
    return WithJsonSchema({"type": list(kinds), "description": wanted})


def _some_of(choices: Sequence[StrEnum]) -> Callable[[str], object]:
    return lambda text: spelling.words(text, choices)


def _generations(least: int) -> Callable[[str], object]:
    return lambda text: spelling.generations(text, least)


def _fate(text: str) -> object:
    return spelling.word(text, tuple(Inconclusive))


_TEXTS = "a text, or a list of texts"
_SHARE = "a share such as '5%' or 0.05"
_SECONDS = "a time such as '60s', '2m' or '1h'"
_SIZES = "whole numbers such as [1, 32]"
_DEVICES = "'auto', or devices such as 'cpu,gpu:0'"
_TYPES = "element types such as ['float32']"
_PHASES = "phases such as ['infer']"
_GENERATIONS = "a number, or 'auto'"
_LABEL = "a name of printable characters"
_FATE = "'fail', 'neutral' or 'pass'"
_NUMBERS = ("string", "integer", "array")
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[str, _spelt(str, _TEXTS), _schema(_TEXTS, "string", "array")]
Share = Annotated[str, _spelt(spelling.share, _SHARE), _schema(_SHARE, "string", "number")]
Seconds = Annotated[str, _spelt(spelling.seconds, _SECONDS), _schema(_SECONDS, "string", "number")]
Sizes = Annotated[str, _spelt(spelling.sizes, _SIZES), _schema(_SIZES, *_NUMBERS)]
Threads = Annotated[str, _spelt(spelling.thread_counts, _SIZES), _schema(_SIZES, *_NUMBERS)]
Devices = Annotated[str, _spelt(spelling.devices, _DEVICES), _schema(_DEVICES, "string", "array")]
Types = Annotated[str, _spelt(_some_of(tuple(DType)), _TYPES), _schema(_TYPES, "string", "array")]
Phases = Annotated[
    str, _spelt(_some_of(tuple(Phase)), _PHASES), _schema(_PHASES, "string", "array")
]
Generations = Annotated[
    str, _spelt(_generations(1), _GENERATIONS), _schema(_GENERATIONS, "string", "integer")
]
GateGenerations = Annotated[
    str, _spelt(_generations(FEWEST), _GENERATIONS), _schema(_GENERATIONS, "string", "integer")
]
Label = Annotated[str, _spelt(spelling.label, _LABEL), _schema(_LABEL, "string")]
Fate = Annotated[str, _spelt(_fate, _FATE), _schema(_FATE, "string")]


class Table(BaseModel):
    """A table of the file: unknown keys are refused, an absent one sets nothing."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
        validate_by_name=True,
        validate_by_alias=True,
    )


class Arms(Table):
    """Which arms there are, and what each computes."""

    backend: Texts | None = Field(None, description="arms, as --backend takes them")
    device: Devices | None = None
    dtype: Types | None = None
    threads: Threads | None = None
    batch_size: Sizes | None = None
    phase: Phases | None = None


class RunTable(Arms):
    """Defaults of `dnnbench run`."""

    base: Text | None = None
    max_time: Seconds | None = None
    generations: Generations | None = None
    precision: Share | None = None
    report: Text | None = Field(None, description="the page to write, or 'none'")


class GateTable(Arms):
    """The policy of `dnnbench gate`."""

    base: Text | None = None
    fail_on: Share | None = Field(None, description="slowdowns up to this much pass")
    threshold: dict[str, Share] | None = Field(
        None, description="what passes of cells by a pattern of their names: {'cnn_*' = '5%'}"
    )
    must_see: Share | None = Field(None, description="what a cell must be able to see to pass")
    inconclusive: Fate | None = None
    figure: Texts | None = Field(
        None, description="figures of a call that fail a candidate where they grow"
    )
    fail_on_unexplained_improvement: bool | None = None
    confirm_again: bool | None = Field(
        None, description="a second confirmation of what the first leaves undecided"
    )
    max_time: Seconds | None = None
    generations: GateGenerations | None = None
    constraint: Texts | None = Field(None, description="pip's constraint files, with --git")
    build: Text | None = Field(
        None, description="a command that installs the project at a revision, in place of pip"
    )


class Suite(Table):
    """Workloads that belong together, with what is measured of them: `--suite NAME`."""

    named_by_user: ClassVar[bool] = True

    workloads: list[Text] = Field(min_length=1, description="names, files, net.py:NAME")
    backend: Texts | None = None
    device: Devices | None = None
    dtype: Types | None = None
    threads: Threads | None = None
    batch_size: Sizes | None = None
    phase: Phases | None = None
    max_time: Seconds | None = Field(None, description="the suite's budget, of a run or a stage")
    generations: GateGenerations | None = None
    fail_on: Share | None = Field(None, description="of a gate: slowdowns up to this much pass")
    threshold: dict[str, Share] | None = None
    must_see: Share | None = None
    figure: Texts | None = None


class Environment(Table):
    """A Python environment that arms name as BACKEND@NAME: `dnnbench envs create NAME`."""

    named_by_user: ClassVar[bool] = True

    requirements: list[Text] = Field(min_length=1, description="pip's, such as jax==0.9.2")
    constraint: list[Text] = Field(default_factory=list, description="pip's constraint files")


class Configuration(Table):
    """All that a project sets for dnnbench."""

    store: Text | None = Field(None, description="where results are kept: a path, or an address")
    machine: Label | None = Field(None, description="a name for the machine that measures")
    run: RunTable = RunTable()
    gate: GateTable = GateTable()
    suites: dict[str, Suite] = Field(default_factory=dict)
    environments: dict[str, Environment] = Field(default_factory=dict)
