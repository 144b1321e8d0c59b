"""Options of every command that starts workers: which backends, where, in which type."""

import rich_click as click

BACKEND = click.option(
    *("--backend", "backends"),
    multiple=True,
    default=("all",),
    show_default=True,
    metavar="NAME[:MODE][@PYTHON],...",
    help="all: every installed backend in its default mode; all:all: in every mode; torch, torch:compile, "
    "torch@/path/to/venv; lists with commas, or the option again.",
)
DEVICE = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|gpu[:N]|tpu[:N]",
    help="auto takes the GPU when every backend but the NumPy reference has one, else the CPU, and says so.",
)
DTYPE = click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    show_default=True,
    help="Element type.",
)
THREADS = click.option(
    "--threads",
    type=click.IntRange(1),
    default=None,
    help="Threads and CPUs of every worker.  [default: all CPUs it may use]",
)
SEED = click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of weights, data order and visiting order.",
)
DATA = click.option(
    "--data",
    default="",
    metavar="PATH",
    help="An .npz file or a folder of IDX files instead of the workload's own data.",
)
STORE = click.option(
    "--store",
    default="results/dnnbench.sqlite",
    show_default=True,
    metavar="PATH|URL",
    help="Where results are kept: an SQLite file, or postgresql://USER@HOST/DATABASE.",
)


def work_options(command):
    """--backend, --device, --dtype, --threads, --seed, --data."""
    for option in (DATA, SEED, THREADS, DTYPE, DEVICE, BACKEND):
        command = option(command)
    return command


def threads_or_all(threads: int | None) -> int:
    """The number asked for, else one a CPU that this process may use; UsageError if there are fewer."""
    from ..measure.affinity import choose_cpus, current_mask

    mask = current_mask()
    return len(choose_cpus(mask, threads or len(mask)))


def workloads_named(names: tuple[str, ...]) -> tuple:
    """Workloads by name or file; without a name, all that are installed."""
    from ..plugins.catalog import find_workload
    from ..plugins.discovery import plugins

    return tuple(find_workload(name) for name in names or plugins().workloads)
