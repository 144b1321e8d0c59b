"""Files of other tools, brought into a store: which tool wrote one is seen by what it holds."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ...errors import DataError
from ...regular import home_expanded, read_regular
from ...spec.explaining import explained
from ...wording import shortened
from . import asv_reading, pytest_benchmark_reading
from .foreign import ForeignRun

LARGEST_BYTES = 1 << 28
BESIDE = ("machine.json", "benchmarks.json")
"""Files of a folder of asv's that hold no result."""
TOOLS = "pytest-benchmark's JSON and asv's results"
Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True)
class ReadFile:
    """A file, and the run that it holds."""

    path: Path
    run: ForeignRun


def files_of(text: str) -> list[Path]:
    """The file at a path, or of a folder every file that may hold results, in order of name.

    Raises DataError where nothing is.
    """
    path = home_expanded(text)
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*.json") if file.name not in BESIDE)
    if not files:
        raise DataError(f"import: {path} holds no .json file; name a file of {TOOLS}")
    return files


def read_file(path: Path) -> ReadFile:
    """The run in a file; DataError says what is wrong with it."""
    content = _json(path)
    if pytest_benchmark_reading.is_document(content):
        document = _checked(pytest_benchmark_reading.Document, content, path)
        run = pytest_benchmark_reading.foreign_run(document)
    elif asv_reading.is_results(content):
        if content.get("version") == 1:
            raise DataError(
                f"import: {path}: asv's format of before 2019; `asv update` brings it up to date"
            )
        results = _checked(asv_reading.Results, content, path)
        run = asv_reading.foreign_run(results, _described(path))
    else:
        raise DataError(f"import: {path}: neither of {TOOLS}; got {_kind(content)}")
    if not run.benchmarks:
        reasons = ", ".join(sorted(set(run.left_out.values()))) or "it lists none"
        raise DataError(f"import: {path}: no benchmark of it has a time ({reasons})")
    return ReadFile(path, run)


def _json(path: Path) -> Any:
    try:
        text = read_regular(path, LARGEST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DataError(
            f"import: {path} cannot be read: {reason}; name a file of {TOOLS}"
        ) from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"import: {path} is damaged: not JSON: {shortened(str(error))}; "
            "restore it from a copy, or leave it out"
        ) from None


def _checked(form: type[Form], content: object, path: Path) -> Form:
    try:
        return form.model_validate(content)
    except ValidationError as error:
        faults = "\n".join(explained(error, f"import: {path}", form))
        raise DataError(faults) from None


def _described(path: Path) -> dict[str, Any]:
    """benchmarks.json of the folder of results that the file lies in; empty where there is none."""
    described = path.parent.parent / "benchmarks.json"
    if not described.is_file():
        return {}
    content = _json(described)
    return content if isinstance(content, dict) else {}


def _kind(content: object) -> str:
    if isinstance(content, dict):
        some = ", ".join(map(repr, sorted(map(str, content))[:6]))
        return f"an object with the keys {shortened(some)}" if some else "an empty object"
    return f"a JSON {type(content).__name__}"


def read_all(texts: tuple[str, ...]) -> Iterator[ReadFile | DataError]:
    """Of every file its run, or what is wrong with it: one damaged file costs no other."""
    for text in texts:
        try:
            files = files_of(text)
        except DataError as error:
            yield error
            continue
        for path in files:
            try:
                yield read_file(path)
            except DataError as error:
                yield error
