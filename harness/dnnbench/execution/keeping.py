"""A generation that was measured is kept: in the store, or in a file of its own for --resume."""

from contextlib import suppress
from pathlib import Path

from platformdirs import user_data_path

from ..errors import StoreError
from ..store.aside import GenerationRows
from ..store.store import Store
from .reporter import Reporter


class Keeper:
    """Keeps generations; `failed` once the store took one no more."""

    def __init__(self, store: Store, report: Reporter) -> None:
        self._store, self._report = store, report
        self.failed = False

    def keep(self, rows: GenerationRows, interrupted: bool) -> None:
        """Into the store, or into a file of its own for --resume:
        a generation that was measured is not lost with its store.

        Who interrupts a run may kill it while it waits for its store: then the file comes first.
        """
        folders, path = aside_folders(self._store), None
        if interrupted:
            with suppress(StoreError):  # the store may take what no folder takes
                path = rows.put_aside(folders)
        try:
            rows.add_to(self._store)
        except (StoreError, KeyboardInterrupt) as error:
            self.failed = True
            path = path or rows.put_aside(folders)
            kept = (
                f"generation {rows.number + 1} is in {path}: "
                f"`dnnbench run --resume {rows.run_id}` takes it in"
            )
            if isinstance(error, StoreError) and not interrupted:
                raise StoreError(f"{error}; {kept}") from error
            refused = isinstance(error, StoreError)
            self._report.note(f"{error}; {kept}" if refused else kept)
            raise KeyboardInterrupt from error
        if path is not None:
            path.unlink(missing_ok=True)


def aside_folders(store: Store) -> list[Path]:
    """Where a generation goes that the store does not take:
    beside its file, else with the user's data.
    """
    users = user_data_path("dnnbench") / "aside"
    return [users] if store.folder is None else [store.folder, users]
