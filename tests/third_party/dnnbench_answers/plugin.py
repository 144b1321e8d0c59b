"""Announces the backend as any third party does."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl


@hookimpl
def dnnbench_backends():
    modes = ("right", "wrong", "deaf", "initial", "writing", "boastful", "reluctant")
    return [
        BackendInfo("answers", "Answers", modes, "right", "dnnbench_answers.backend:AnswersBackend")
    ]
