"""What tells pip that dnnbench is there, in an environment to which it is lent.

A plugin requires dnnbench: pip would look for it on an index, and install another one than the
one that measures.
"""

import base64
import hashlib
from importlib.metadata import Distribution, distribution
from pathlib import Path

from ..worker.sharing import DISTRIBUTION


def leave_metadata(environment: Path) -> None:
    """Write the metadata of this dnnbench, of which only extras require anything, into a virtual
    environment.
    """
    this = distribution(DISTRIBUTION)
    (packages,) = environment.glob("lib/python*/site-packages")
    folder = packages / f"{DISTRIBUTION}-{this.version}.dist-info"
    folder.mkdir()
    files = {"METADATA": metadata(this), "INSTALLER": "dnnbench\n"}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    lines = [_record(f"{folder.name}/{name}", text) for name, text in files.items()]
    (folder / "RECORD").write_text("\n".join([*lines, f"{folder.name}/RECORD,,", ""]))


def metadata(this: Distribution) -> str:
    """Name, version and extras, as the core metadata are written."""
    extras = [f"Provides-Extra: {extra}" for extra in this.metadata.get_all("Provides-Extra") or ()]
    required = [f"Requires-Dist: {text}" for text in this.requires or () if "extra ==" in text]
    head = ["Metadata-Version: 2.1", f"Name: {DISTRIBUTION}", f"Version: {this.version}"]
    return "\n".join([*head, *extras, *required, ""])


def _record(name: str, text: str) -> str:
    """A line of RECORD, by which pip finds what to remove."""
    content = text.encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"
