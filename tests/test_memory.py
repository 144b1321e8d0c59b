import mmap

from dnnbench.measure.memory import read_memory, reset_peak

SIZE = 64 << 20


def fill_and_release():
    with mmap.mmap(-1, SIZE) as block:
        block.write(b"x" * SIZE)


def test_the_peak_follows_what_was_held_and_starts_again_after_a_reset():
    fill_and_release()
    before = read_memory()
    assert before.peak_rss_bytes >= before.rss_bytes + SIZE // 2
    assert reset_peak() == ""
    after = read_memory()
    assert after.peak_rss_bytes < before.peak_rss_bytes - SIZE // 2
    assert after.peak_rss_bytes >= after.rss_bytes - (1 << 20)


def test_what_is_absent_is_none_with_a_reason(tmp_path):
    reading = read_memory(tmp_path)
    assert (reading.rss_bytes, reading.peak_rss_bytes) == (None, None) and "VmHWM" in reading.reason
    (tmp_path / "status").write_text("Name:\tx\nVmRSS:\t     100 kB\n")
    reading = read_memory(tmp_path)
    assert reading.rss_bytes == 102400 and reading.peak_rss_bytes is None and reading.reason
    assert "cannot be reset" in reset_peak(tmp_path / "missing")
