"""The no-op program: a Program that does nothing, so that what is left of a call's time is the harness."""


class NoopProgram:
    """All that a Bench asks of a Program, and none of it does anything."""

    def put(self, batch):
        return None

    def infer(self, batch):
        return None

    forward = loss = gradients = train_step = infer

    def wait(self, result):
        return None

    def snapshot(self):
        return None

    restore = wait
