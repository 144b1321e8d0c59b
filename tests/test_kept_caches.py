"""Caches that outlive a session are found again by none that would get something else
from its compiler.
"""

import os
from types import SimpleNamespace

import archspec.cpu
import pytest
from helpers import kept_caches
from helpers.kept_caches import DAY_S, KEPT_DAYS, kept_folder, key, lend, remove_unused


def other_flag(patch):
    patch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")


def other_sources(patch):
    patch.setattr(kept_caches, "source_digest", lambda *packages: "0123456789abcdef")


def other_version(patch):
    patch.setattr(
        kept_caches, "distributions", lambda: [SimpleNamespace(name="jax", version="0.0.1")]
    )


def other_processor(patch):
    patch.setattr(archspec.cpu, "host", lambda: SimpleNamespace(name="zen9", features={"avx1024"}))


@pytest.mark.parametrize("change", [other_flag, other_sources, other_version, other_processor])
def test_what_compilers_read_has_a_key_of_its_own(monkeypatch, change):
    before = key()
    change(monkeypatch)
    assert key() != before


def test_the_key_of_an_unchanged_machine_stays():
    assert key() == key()


def test_a_session_uses_what_is_kept(cache):
    """Under the key of its beginning: a framework that a test imported may have set
    variables since.
    """
    kept = (cache / "references").resolve()
    assert kept.name == "references"
    assert kept.parent.parent == kept_folder().parent.resolve()


def test_logs_are_not_kept(cache):
    assert not (cache / "logs").is_symlink()


def test_two_processes_of_a_session_lend_the_same(tmp_path):
    for _ in range(2):
        lend(tmp_path / "kept", tmp_path / "session")
    (tmp_path / "session" / "references" / "one.npz").touch()
    assert (tmp_path / "kept" / "references" / "one.npz").exists()


def test_only_what_nobody_uses_is_removed(tmp_path):
    for name, days in (("used", 1), ("unused", KEPT_DAYS + 1)):
        (tmp_path / name).mkdir()
        then = (tmp_path / name).stat().st_mtime - days * DAY_S
        os.utime(tmp_path / name, (then, then))
    remove_unused(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["used"]
