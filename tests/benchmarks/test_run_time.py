"""What a whole run spends its time on: visits, and everything around them."""

from collections import Counter

import pytest
from dnnbench.api.measuring import Keeping, measure
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request
from dnnbench.execution.settings import Settings
from dnnbench.host.clock import now
from dnnbench.plugins.catalog import default_workloads
from dnnbench.testing.replay import replay

SETTINGS = {"quick": Settings(threads=(1,)).quick(), "default": Settings(threads=(1,))}
BEGUN_BY = {
    "checking": "check",
    "starting": "starts",
    "building": "builds and warm-up",
    "round": "looks",
    "best rates": "looks",
    "auditing": "looks",
}
"""What a run does after a message that has this word; after a round it looks at programs."""


class Stages(Silent):
    """Seconds by what a run does, as its messages tell; rounds say themselves how long they took.

    A run ends as it begins, in this process: the last stage is closed by `end`.
    """

    def __init__(self):
        self.seconds = Counter()
        self._doing, self._since = "plan", now()

    def stage(self, text, total):
        self._go_on(0, text)

    def advance(self, done, text=""):
        self._go_on(done if "round" in text else 0, text)

    def end(self, doing):
        """What followed the last message of a stage is over; `doing` comes next."""
        self._go_on(0, "")
        self._doing = doing

    def _go_on(self, visits_s, text):
        time = now()
        self.seconds["visits"] += visits_s
        self.seconds[self._doing] += time - self._since - visits_s
        self._since = time
        self._doing = next((name for word, name in BEGUN_BY.items() if word in text), self._doing)


@pytest.mark.benchmark(timer=replay, group="a whole run")
@pytest.mark.parametrize("name", SETTINGS)
def test_share_of_visits(benchmark, tmp_path, name):
    """Wall seconds of `dnnbench run --backend all --threads 1`, quick or not, and by stage; the
    references of its check are in the user's cache after the first one.
    """
    begin, stages = now(), Stages()
    request = Request(tuple(default_workloads()), ("all",), SETTINGS[name])
    measurement = measure(request, Keeping(str(tmp_path / "runs.sqlite")), stages)
    assert not measurement.outcome.failed
    stages.end("report")
    measurement.run.report(tmp_path / "report.html")
    stages.end("")
    benchmark.extra_info |= {k: round(s, 2) for k, s in stages.seconds.items()}
    benchmark.extra_info["share"] = stages.seconds["visits"] / (now() - begin)
    replay.play(benchmark, [now() - begin])
