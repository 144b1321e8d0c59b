"""Options of every command that starts workers: which backends, where, in which type."""

import rich_click as click

from ..execution.settings import STORE as DEFAULT_STORE
from ..execution.settings import Settings
from ..execution.spelling import LARGEST_SEED
from ..protocol.device import AUTO
from ..protocol.dtypes import DType
from . import completing
from .options import Decorated, list_option
from .types import Devices, Label, Numbers, Threads, Words

BACKEND = click.option(
    "--backend",
    multiple=True,
    default=("all",),
    show_default=True,
    metavar="NAME[:MODE][@PYTHON][[dtype=...,threads=...,device=...]],...",
    shell_complete=completing.arms,
    help="all: every installed backend in its default mode; all:all: in every mode; all:best: in "
    "the mode that is fastest here; torch, torch:compile, torch:best, torch@/path/to/venv, "
    "'torch[dtype=bfloat16,threads=1,2]'; lists with commas, or the option again.",
)
DEVICE = list_option(
    "--device",
    type=Devices(),
    default=AUTO.kind,
    show_default=True,
    help="auto takes the GPU when every backend has one, but for those that know the CPU alone, "
    "else the CPU, and says so. Several: an arm on each.",
)
DTYPE = list_option(
    "--dtype",
    type=Words(DType),
    default=DType.FLOAT32.value,
    show_default=True,
    help="Element type; several: an arm in each. bfloat16 and float16: activations and products "
    "in it, weights and sums kept in float32; mixed_...: products alone in it; "
    "tf32: float32 whose products keep 10 bits of fraction (GPU).",
)
THREADS = list_option(
    "--threads",
    type=Threads(),
    help="Threads and CPUs of every worker; several: an arm with each.  "
    "[default: all CPUs it may use]",
)
SEED = click.option(
    "--seed",
    type=click.IntRange(0, LARGEST_SEED),
    default=Settings.seed,
    show_default=True,
    help="Of weights, data order and visiting order.",
)
DATA = click.option(
    "--data",
    default="",
    metavar="PATH",
    help="An .npz file or a folder of IDX files instead of the workload's own data.",
)
BATCH_SIZES = list_option(
    *("-b", "--batch-size"),
    type=Numbers(),
    help="Examples a step, as a list.  [default: the workload's own]",
)
WAIT = click.option(
    "--wait", is_flag=True, help="Wait for another dnnbench on this machine to finish."
)
RUN_LABEL = Label(reserved=("latest",))
"""`dnnbench.store.find.LATEST`, without importing it, always means the newest run."""
LABEL = click.option("--label", type=RUN_LABEL, help="A name for the run, to compare with later.")
DETAILS = click.option(
    "--details", is_flag=True, help="Show everything that was measured, not the answer alone."
)
STORE = click.option(
    "--store",
    default=DEFAULT_STORE,
    show_default=True,
    metavar="PATH|URL",
    help="Where results are kept: an SQLite file, or postgresql://USER@HOST/DATABASE, "
    "whose password belongs in ~/.pgpass: a command line shows in ps.",
)


def work_options(command: Decorated) -> Decorated:
    """--backend, --device, --dtype, --threads, --seed, --data."""
    for option in (DATA, SEED, THREADS, DTYPE, DEVICE, BACKEND):
        command = option(command)
    return command


def work_options_but_dtype(command: Decorated) -> Decorated:
    """Those of `work_options`, for a command that takes element types as a list."""
    for option in (DATA, SEED, THREADS, DEVICE, BACKEND):
        command = option(command)
    return command
