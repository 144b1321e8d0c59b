"""The environment variables a worker starts with: the same for every arm, down to their length."""

import platform
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import UsageError
from ..masking import holds_password

MEMORY_SETTINGS = ("steady", "native")
STEADY_TUNABLES = {
    "glibc.malloc.mmap_threshold": "1073741824",
    "glibc.malloc.trim_threshold": "4294967296",
}
STORE_ACCESS = ("PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLKEY")
"""Where libpq looks for a password or a key: the parent alone writes to the store."""
PAD = "DNNBENCH_PAD"
BLOCK_BYTES = 16384
PAD_SPREAD_BYTES = 4096

MEANING = {
    "OMP_NUM_THREADS": "OpenMP threads (PyTorch's kernels): one a CPU of the mask",
    "OPENBLAS_NUM_THREADS": "OpenBLAS threads (NumPy's matrix products): one a CPU of the mask",
    "MKL_NUM_THREADS": "MKL threads: one a CPU of the mask",
    "NPROC": "XLA:CPU's pool of threads, the only setting JAX obeys besides the mask",
    "OPENBLAS_THREAD_TIMEOUT": (
        "2^4 spins, then sleep: OpenBLAS would burn 0.13 s of CPU after a call"
    ),
    "GOMP_SPINCOUNT": (
        "OpenMP spins 30000 times, then sleeps: no cost seen, and the next arm has quiet"
    ),
    "TORCHINDUCTOR_COMPILE_THREADS": (
        "compile in the worker itself: a pool would outlive it and burn CPU"
    ),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "keep quick compilations too",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "keep small programs too",
    "TF_CPP_MIN_LOG_LEVEL": "TensorFlow prints errors only",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "JAX takes GPU memory as needed: the arms share one device",
    "TF_FORCE_GPU_ALLOW_GROWTH": "TensorFlow takes GPU memory as needed",
    "PYTHONHASHSEED": "sets and dicts of text in one order, so that compilers see one program",
    "PYTHONSAFEPATH": "a file named torch.py in the working directory is not torch",
    "GLIBC_TUNABLES": (
        "memory 'steady': freed blocks stay in the process; no page faults at each step"
    ),
    PAD: (
        "fills argv and environment up to one length for all arms, plus a random part: "
        "both move the stack"
    ),
}


def default_memory() -> str:
    """`steady` where the C library is glibc, else `native`."""
    return "steady" if platform.libc_ver()[0] == "glibc" else "native"


def worker_environment(
    inherited: Mapping[str, str], *, threads: int, memory: str, caches: Mapping[str, Path]
) -> dict[str, str]:
    """What a worker's process finds in its environment.

    `MEANING` says why for each variable but those of `caches`.

    inherited: the caller's variables, kept unless set here or a way into the store.
    threads: for every library's pool.
    memory: `steady` (glibc keeps freed memory) or `native` (the framework's default).
    caches: folder of a compile cache by the variable that a backend names for it;
    empty ones make a cold start.
    Raises UsageError for an unknown `memory`.
    """
    count = str(threads)
    return {
        **without_store_access(inherited),
        **{variable: str(folder) for variable, folder in caches.items()},
        **dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), count
        ),
        "OPENBLAS_THREAD_TIMEOUT": "4",
        "GOMP_SPINCOUNT": "30000",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "1",
        **_memory_variables(memory, inherited.get("GLIBC_TUNABLES", "")),
    }


def without_store_access(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables but for the passwords of databases:
    frameworks, plugins and installers may print what they are given.
    """
    return {name: value for name, value in variables.items() if not _opens_a_store(name, value)}


def _opens_a_store(name: str, value: str) -> bool:
    return name in STORE_ACCESS or ("postgres" in value and holds_password(value))


def _memory_variables(memory: str, inherited: str) -> dict[str, str]:
    if memory not in MEMORY_SETTINGS:
        raise UsageError(
            f"--memory {memory}: not a memory setting; use {' or '.join(MEMORY_SETTINGS)}"
        )
    if memory == "native":
        return {}
    inherited_tunables = dict(entry.split("=", 1) for entry in inherited.split(":") if "=" in entry)
    return {
        "GLIBC_TUNABLES": ":".join(
            f"{name}={value}" for name, value in (inherited_tunables | STEADY_TUNABLES).items()
        )
    }


def padded(
    environment: Mapping[str, str], argv: Sequence[str], chance: random.Random
) -> dict[str, str]:
    """`environment` with a pad, so that it takes as many bytes with `argv` for one arm
    as for another.

    The length is a multiple of 16 KiB plus up to 4 KiB drawn from `chance`:
    one length would favour one arm in every process alike, a new one in each process makes
    that an error that shows between generations.
    """
    plain = {name: value for name, value in environment.items() if name != PAD}
    bare = size_bytes(plain, argv) + len(PAD) + 2
    return plain | {PAD: "x" * (-bare % BLOCK_BYTES + chance.randrange(PAD_SPREAD_BYTES))}


def size_bytes(environment: Mapping[str, str], argv: Sequence[str]) -> int:
    """Bytes on a new process's stack: each `name=value` and each argument, ended by a zero."""
    variables = sum(
        len(name.encode()) + len(value.encode()) + 2 for name, value in environment.items()
    )
    return variables + sum(len(argument.encode()) + 1 for argument in argv)
