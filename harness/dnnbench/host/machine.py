"""What this machine is (hardware, which names it) and how it is set up now (system)."""

import hashlib
import os
import platform
import socket
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from .affinity import core_of, current_mask
from .gpus import gpus

ROOT = Path("/")
GIB = 1 << 30
FLAG_PREFIXES = (
    *(
        "OMP_",
        "GOMP_",
        "KMP_",
        "MKL_",
        "OPENBLAS_",
        "ONEDNN_",
        "DNNL_",
        "NPY_",
        "ATEN_",
        "PYTORCH_",
        "TORCH",
        "TF_",
    ),
    *(
        "XLA_",
        "JAX_",
        "CUDA_",
        "CUBLAS_",
        "CUDNN_",
        "NVIDIA_",
        "NPROC",
        "MALLOC_",
        "GLIBC_TUNABLES",
    ),
)
PLACES = ("_DIR", "_HOME", "_PATH", "_ROOT", "_FILE")


def machine_facts(root: Path = ROOT) -> dict[str, Any]:
    """Facts of this machine as plain data; what the system does not tell is None, never a guess.

    returns: {"hardware": ..., "system": ...}; only the first part, which survives a reboot
    or an upgrade, names the machine (`store.identity`).
    root: the folder that holds /proc and /sys.
    """
    return {"hardware": hardware(root), "system": system(root)}


def host_hash() -> str:
    """16 hexadecimal digits that stand for the host's name, which itself is not kept."""
    return _digest(socket.gethostname())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hardware(root: Path = ROOT) -> dict[str, Any]:
    """Processor, cores, memory and GPUs.

    Memory in whole GiB, because the kernel's own share varies.
    """
    import archspec.cpu
    import psutil

    cpu = archspec.cpu.host()
    return {
        "architecture": platform.machine(),
        "cpu_vendor": cpu.vendor,
        "cpu_model": cpu_model(root),
        "cpu_signature": cpu_signature(root),
        "caches": caches(root),
        "cpu_microarchitecture": cpu.name,
        "cpu_level": cpu.generic.name,
        "logical_cpus": psutil.cpu_count(),
        "physical_cores": psutil.cpu_count(logical=False),
        "memory_gib": round(psutil.virtual_memory().total / GIB),
        "gpus": gpu_names(root),
    }


def cpu_model(root: Path = ROOT) -> str | None:
    """The processor's name as /proc/cpuinfo spells it."""
    for name, value in _cpuinfo(root):
        if name in ("model name", "Model"):
            return value
    return platform.processor() or None


def cpu_signature(root: Path = ROOT) -> str | None:
    """As "family 25 model 17 stepping 1": under a hypervisor processors of several generations may
    share a name.
    """
    facts = dict(_cpuinfo(root))
    names = {"family": "cpu family", "model": "model", "stepping": "stepping"}
    if not set(names.values()) <= set(facts):
        return None
    return " ".join(f"{name} {facts[spelling]}" for name, spelling in names.items())


def caches(root: Path = ROOT) -> dict[str, str] | None:
    """Size of each cache of the first CPU, as {"L1 Data": "32K", "L2 Unified": "1024K"}.

    None where the system lists none.
    """
    sizes = {}
    for folder in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if size := _text(folder / "size"):
            sizes[f"L{_text(folder / 'level')} {_text(folder / 'type')}"] = size
    return sizes or None


def gpu_names(root: Path = ROOT) -> list[str] | None:
    """Of the NVIDIA GPUs.

    None where the driver has some, but no NVML (dnnbench[gpu]) that names them.
    """
    names = [gpu["name"] for gpu in gpus()]
    driver_has_some = any((root / "proc/driver/nvidia/gpus").glob("*"))
    return None if driver_has_some and not names else names


def system(root: Path = ROOT) -> dict[str, Any]:
    """Kernel, Python and the settings that change timings."""
    cpus = current_mask()
    return {
        "kernel": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "python": platform.python_version(),
        "affinity": cpus,
        "smt_siblings": smt_siblings(cpus, root),
        "cpu_quota": cpu_quota(root),
        "governor": _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "frequencies_mhz": frequencies_mhz(cpus, root),
        "boost": boost(root),
        "aslr": _text(root / "proc/sys/kernel/randomize_va_space"),
        "huge_pages": _chosen(_text(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        "blas": blas(),
        "flags": flags(initial_environment(root)),
        "load_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "gpus": gpus(),
    }


def cpu_quota(root: Path = ROOT) -> float | None:
    """CPUs' worth of time that the control group allows.

    None where there is no limit or none can be read.
    """
    mounts = root / "sys/fs/cgroup"
    both = (_text(mounts / "cpu.max") or "").split()
    if len(both) != 2:
        both = [_text(mounts / "cpu" / f"cpu.cfs_{what}_us") or "" for what in ("quota", "period")]
    quota, period = both
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def smt_siblings(cpus: Collection[int], root: Path = ROOT) -> list[list[int]] | None:
    """Groups of the given CPUs that share a core, each with two members or more.

    None where the system does not tell.
    """
    topology = root / "sys/devices/system/cpu"
    if not all((topology / f"cpu{cpu}/topology/thread_siblings_list").exists() for cpu in cpus):
        return None
    by_core: dict[str, list[int]] = {}
    for cpu in sorted(cpus):
        by_core.setdefault(core_of(cpu, topology), []).append(cpu)
    return [group for group in by_core.values() if len(group) > 1]


def frequencies_mhz(cpus: Collection[int], root: Path = ROOT) -> list[float] | None:
    """Clock of each CPU now: what the driver reports, else /proc/cpuinfo,
    which under a hypervisor is a nominal one.
    """
    files = [
        root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq" for cpu in sorted(cpus)
    ]
    reported = [int(text) / 1000 for text in map(_text, files) if text and text.isdigit()]
    nominal = [float(value) for name, value in _cpuinfo(root) if name == "cpu MHz"]
    return reported or nominal or None


def boost(root: Path = ROOT) -> bool | None:
    """Whether clocks may rise above the nominal one; None where the driver does not say."""
    allowed = _text(root / "sys/devices/system/cpu/cpufreq/boost")
    forbidden = _text(root / "sys/devices/system/cpu/intel_pstate/no_turbo")
    if allowed is None and forbidden is None:
        return None
    return allowed == "1" if allowed is not None else forbidden == "0"


def blas() -> list[dict[str, Any]]:
    """Libraries with a pool of threads in this process, once NumPy is imported:
    name, version, kernels, threads.
    """
    import numpy  # noqa: F401
    import threadpoolctl

    rows = threadpoolctl.threadpool_info()
    return [
        {
            "library": row["internal_api"],
            "version": row["version"],
            "kernels": row.get("architecture"),
            "threads": row["num_threads"],
        }
        for row in rows
    ]


def initial_environment(root: Path = ROOT) -> dict[str, str]:
    """What this process was started with: libraries set variables of their own when imported
    (threadpoolctl one of KMP's).
    """
    entries = (_text(root / "proc/self/environ") or "").split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry) or dict(os.environ)


def flags(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that change how libraries compute, of those that are set.

    Places of files are left out.
    """
    named = [name for name in sorted(environment) if name.startswith(FLAG_PREFIXES)]
    return {name: environment[name] for name in named if not name.endswith(PLACES)}


def _cpuinfo(root: Path) -> list[tuple[str, str]]:
    """(name, value) of each line of /proc/cpuinfo, those of one CPU behind those of another."""
    pairs = [line.partition(":") for line in (_text(root / "proc/cpuinfo") or "").splitlines()]
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _chosen(options: str | None) -> str | None:
    """The bracketed one of `always [madvise] never`."""
    return options.partition("[")[2].partition("]")[0] or None if options else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="surrogateescape").strip()
    except OSError:
        return None
