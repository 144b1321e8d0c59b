"""Programs with one method changed."""


class Changed:
    """An honest program with one method replaced."""

    def __init__(self, program, **replaced):
        self._program = program
        for name, method in replaced.items():
            setattr(self, name, lambda *a, method=method: method(program, *a))

    def __getattr__(self, name):
        return getattr(self._program, name)
