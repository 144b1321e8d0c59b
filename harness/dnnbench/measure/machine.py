"""What this machine is (hardware, which names it) and how it is set up now (system)."""

import hashlib
import json
import os
import platform
import socket
from pathlib import Path

from .affinity import current_mask

ROOT = Path("/")
GIB = 1 << 30


def machine_facts(root: Path = ROOT) -> dict:
    """Facts of this machine as plain data; what the system does not tell is None, never a guess.

    returns: {"hardware": ..., "system": ...}; only the first part, which survives a reboot or an upgrade,
    names the machine.  root: the folder that holds /proc and /sys.
    """
    return {"hardware": hardware(root), "system": system(root)}


def machine_id(facts: dict) -> str:
    """16 hexadecimal digits that stand for the hardware: machines alike, as a provider's are, share it."""
    return _digest(json.dumps(facts["hardware"], sort_keys=True))


def host_hash() -> str:
    """16 hexadecimal digits that stand for the host's name, which itself is not kept."""
    return _digest(socket.gethostname())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hardware(root: Path = ROOT) -> dict:
    """Processor, cores, memory and GPUs; memory in whole GiB, because the kernel's own share varies."""
    import archspec.cpu
    import psutil

    cpu = archspec.cpu.host()
    return {
        "architecture": platform.machine(),
        "cpu_vendor": cpu.vendor,
        "cpu_model": cpu_model(root),
        "cpu_microarchitecture": cpu.name,
        "cpu_level": cpu.generic.name,
        "logical_cpus": psutil.cpu_count(),
        "physical_cores": psutil.cpu_count(logical=False),
        "memory_gib": round(psutil.virtual_memory().total / GIB),
        "gpus": [gpu["name"] for gpu in gpus()],
    }


def cpu_model(root: Path = ROOT) -> str | None:
    """The processor's name as /proc/cpuinfo spells it."""
    for line in (_text(root / "proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.processor() or None


def system(root: Path = ROOT) -> dict:
    """Kernel, Python and the settings that change timings."""
    return {
        "kernel": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "python": platform.python_version(),
        "affinity": current_mask(),
        "cpu_quota": cpu_quota(root),
        "governor": _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "aslr": _text(root / "proc/sys/kernel/randomize_va_space"),
        "huge_pages": _chosen(_text(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        "load_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "gpus": gpus(),
    }


def cpu_quota(root: Path = ROOT) -> float | None:
    """CPUs' worth of time that the control group allows; None where there is no limit or none can be read."""
    mounts = root / "sys/fs/cgroup"
    both = (_text(mounts / "cpu.max") or "").split()
    if len(both) != 2:
        both = [_text(mounts / "cpu" / f"cpu.cfs_{what}_us") or "" for what in ("quota", "period")]
    quota, period = both
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def gpus() -> list[dict]:
    """One dict for each NVIDIA GPU; empty without a GPU, its driver or the nvidia-ml-py package."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except (ImportError, OSError):
        return []
    except pynvml.NVMLError:
        return []
    try:
        return [_gpu(pynvml, pynvml.nvmlDeviceGetHandleByIndex(i)) for i in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _gpu(nvml, handle) -> dict:
    def ask(question, *arguments):
        try:
            return question(handle, *arguments)
        except nvml.NVMLError:
            return None

    memory = ask(nvml.nvmlDeviceGetMemoryInfo)
    return {
        "name": ask(nvml.nvmlDeviceGetName),
        "driver": nvml.nvmlSystemGetDriverVersion(),
        "memory_bytes": memory and memory.total,
        "power_limit_mw": ask(nvml.nvmlDeviceGetPowerManagementLimit),
        "sm_clock_mhz": ask(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_SM),
        "throttle_reasons": ask(nvml.nvmlDeviceGetCurrentClocksThrottleReasons),
        "processes": len(ask(nvml.nvmlDeviceGetComputeRunningProcesses) or []),
    }


def _chosen(options: str | None) -> str | None:
    """The bracketed one of `always [madvise] never`."""
    return options.partition("[")[2].partition("]")[0] or None if options else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
