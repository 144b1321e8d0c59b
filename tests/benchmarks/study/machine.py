"""The machine in neutral words: what a reader of the figures must know,
and nothing that names it.
"""

from pathlib import Path

from dnnbench.host.machine import cpu_signature


def words(cpus: int, proc: Path = Path("/proc")) -> str:
    """As "2 cores of a shared virtual machine, family 25 model 17 stepping 1".

    Virtual if the CPU says so, shared if time was ever stolen.
    """
    virtual = "hypervisor" in _flags(proc)
    kind = ("shared " if virtual and _stolen(proc) else "") + ("virtual " if virtual else "")
    signature = cpu_signature(proc.parent)
    return f"{cpus} cores of a {kind}machine" + (f", {signature}" if signature else "")


def _flags(proc: Path) -> list[str]:
    lines = (proc / "cpuinfo").read_text().splitlines() if (proc / "cpuinfo").exists() else []
    return next((line.split() for line in lines if line.startswith("flags")), [])


def _stolen(proc: Path) -> bool:
    return int((proc / "stat").read_text().split("\n", 1)[0].split()[8]) > 0
