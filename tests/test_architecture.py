"""The shape of the code: imports go one way, and the four backends mirror each other."""

import ast
import re
import tomllib
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "harness" / "dnnbench"
BACKENDS = {
    name: ROOT / "backends" / f"dnnbench_{name}" for name in ("numpy", "torch", "tensorflow", "jax")
}
INFERENCE_ONLY = {"onnxruntime": ROOT / "backends" / "dnnbench_onnxruntime"}
"""Backends that are distributions of their own and write a network by `exchange`."""
FRAMEWORKS = {"torch", "tensorflow", "jax", "jaxlib", "optax", "keras", "onnx", "onnxruntime"}
BROUGHT_BY_EXTRAS = {"exchange": {"onnx"}}
"""By room, what it may import inside functions: `pip install dnnbench` brings none of it."""
TIERS = [
    {"errors", "masking", "regular", "wording"},
    {"spec"},
    {"data", "exchange"},
    {"protocol"},
    {"scripts"},
    {"plugins"},
    {"stats"},
    {"host"},
    {"agreement", "store"},
    {"diagnosis"},
    {"worker"},
    {"execution"},
    {"revisions", "configuration"},
    {"testing"},
    {"report"},
    {"track"},
    {"api"},
    {"cli", "__main__"},
]
TIER = {room: i for i, rooms in enumerate(TIERS) for room in rooms}
MIRRORED = (
    "plugin.py",
    "backend.py",
    "program.py",
    "ops.py",
    "losses.py",
    "optimizers.py",
    "device.py",
    "figures.py",
)


def imports(path, package):
    """Absolute names of the modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield from (
                [module] if node.module else [f"{module}.{alias.name}" for alias in node.names]
            )


def core_files():
    return [path for path in CORE.rglob("*.py") if path.parent != CORE or path.stem != "__init__"]


def room_of(path):
    inside = path.relative_to(CORE).parts
    return inside[0].removesuffix(".py")


@pytest.mark.parametrize("path", core_files(), ids=lambda p: str(p.relative_to(CORE)))
def test_imports_go_one_way_and_meet_no_framework(path):
    package = ("dnnbench", *path.relative_to(CORE).parts[:-1])
    for name in imports(path, package):
        parts = name.split(".")
        allowed = BROUGHT_BY_EXTRAS.get(room_of(path), set())
        assert parts[0] not in FRAMEWORKS - allowed, f"the core imports {name}"
        assert not parts[0].startswith("dnnbench_"), f"the core names a plugin: {name}"
        if parts[0] == "dnnbench" and len(parts) > 1 and parts[1] in TIER:
            assert TIER[parts[1]] <= TIER[room_of(path)], (
                f"{path.relative_to(ROOT)} imports {name}, which stands above it"
            )


def needed_at_once(module, path):
    """The modules of dnnbench that must be there before this one is."""
    package = module.split(".") if path.stem == "__init__" else module.split(".")[:-1]
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1] + (node.module or "").split(".")
            name = ".".join(part for part in base if part)
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def test_no_module_needs_one_that_needs_it():
    """Whichever is imported first: a command imports what it runs."""
    parts = {path: path.relative_to(CORE.parent).with_suffix("").parts for path in core_files()}
    modules = {".".join(names).removesuffix(".__init__"): path for path, names in parts.items()}
    needed = {
        module: (set(needed_at_once(module, path)) & set(modules)) - {module}
        for module, path in modules.items()
    }
    assert sum(map(len, needed.values())) > len(modules)
    TopologicalSorter(needed).prepare()  # raises CycleError


def imported_at_once(path):
    """First parts of what a file imports as it is imported itself."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", BROUGHT_BY_EXTRAS)
def test_what_an_extra_brings_is_imported_on_use(room):
    files = list((CORE / room).rglob("*.py"))
    assert len(files) > 3
    early = {path.name: set(imported_at_once(path)) & FRAMEWORKS for path in files}
    assert not any(early.values()), early


def test_every_room_has_a_tier():
    rooms = {room_of(path) for path in core_files()}
    assert rooms <= set(TIER), rooms - set(TIER)


@pytest.mark.parametrize("backend", [*BACKENDS, *INFERENCE_ONLY])
def test_a_backend_sees_the_spec_and_the_protocol_alone(backend):
    allowed = {"errors", "spec", "protocol", "scripts", "plugins"}
    allowed |= {"exchange"} if backend in INFERENCE_ONLY else set()
    folder = (BACKENDS | INFERENCE_ONLY)[backend]
    for path in folder.rglob("*.py"):
        inside = path.relative_to(folder).parts[:-1]
        for name in imports(path, (f"dnnbench_{backend}", *inside)):
            parts = name.split(".")
            assert not (parts[0].startswith("dnnbench_") and parts[0] != f"dnnbench_{backend}"), (
                f"{path.name} imports {name}"
            )
            if parts[0] == "dnnbench":
                assert parts[1] in allowed, f"{path.name} imports {name}"


def test_every_library_of_the_extra_all_is_used():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    [group] = re.findall(r"dnnbench\[(.*)\]", extras["all"][0])
    brought = {re.split(r"[^\w-]", text)[0] for extra in group.split(",") for text in extras[extra]}
    files = [path for folder in ("harness", "backends") for path in (ROOT / folder).rglob("*.py")]
    used = {name.split(".")[0] for path in files for name in imports(path, ("dnnbench",))}
    renamed = {"scikit-learn": "sklearn"}
    modules = {
        renamed.get(name, name.removesuffix("-python").replace("-", "_")) for name in brought
    }
    assert len(modules) >= 6
    assert modules <= used


def test_the_reference_uses_no_contender():
    for path in BACKENDS["numpy"].glob("*.py"):
        used = set(imports(path, ("dnnbench_numpy",))) - {
            "scipy.special"
        }  # for erf, which NumPy has not
        foreign = {name for name in used if name.split(".")[0] in FRAMEWORKS | {"scipy"}}
        assert not foreign, f"{path.name} uses {foreign}"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("file", MIRRORED)
def test_every_backend_has_the_same_files(backend, file):
    assert (BACKENDS[backend] / file).is_file()


def functions(path):
    """Public functions of a file in order, each with the names of its arguments."""
    body = ast.parse(path.read_text()).body
    return {
        n.name: [a.arg for a in n.args.args]
        for n in body
        if isinstance(n, ast.FunctionDef) and n.name[0] != "_"
    }


def classes(path):
    """Public classes of a file, each with its public methods in order."""
    found = [
        n
        for n in ast.parse(path.read_text()).body
        if isinstance(n, ast.ClassDef) and n.name[0] != "_"
    ]
    return {
        c.name: [n.name for n in c.body if isinstance(n, ast.FunctionDef) and n.name[0] != "_"]
        for c in found
    }


def methods(path):
    """Public methods of the file's one public class, in order."""
    found = classes(path)
    assert len(found) == 1, f"{path} has {list(found)}"
    return next(iter(found.values()))


def spec_kinds(path):
    """Every `kind` that the classes of a spec file declare."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.AnnAssign)
            and getattr(node.target, "id", "") == "kind"
            and node.value is not None
        ):
            found.append(node.value.value)
    return found


def common(names, wanted):
    return [name for name in names if name in wanted]


@pytest.mark.parametrize("backend", BACKENDS)
def test_ops_are_the_same_functions_in_the_same_order(backend):
    reference, mine = (
        functions(BACKENDS["numpy"] / "ops.py"),
        functions(BACKENDS[backend] / "ops.py"),
    )
    kinds = {kind for path in (CORE / "spec" / "ops").glob("*.py") for kind in spec_kinds(path)}
    wanted = kinds | {"batch_norm_training"}
    assert set(wanted) <= set(mine), set(wanted) - set(mine)
    assert common(mine, wanted) == common(reference, wanted)
    for name in wanted:
        assert mine[name] == reference[name], (
            f"{backend}.{name}{mine[name]} against {reference[name]}"
        )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("file", "spec"), [("losses.py", "losses.py"), ("optimizers.py", "optimizers.py")]
)
def test_losses_and_optimizers_are_the_same_functions(backend, file, spec):
    wanted = set(spec_kinds(CORE / "spec" / spec)) | (
        {"argmax", "identity"} if file == "losses.py" else set()
    )
    mine = common(functions(BACKENDS[backend] / file), wanted)
    assert mine == common(functions(BACKENDS["numpy"] / file), wanted)
    assert set(mine) == wanted


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("file", ["ops.py", "losses.py", "optimizers.py"])
def test_what_scripts_are_written_by_follows_what_computes(backend, file):
    folder = BACKENDS[backend]
    wanted = functions(folder / file)
    kinds = {kind for path in (CORE / "spec").rglob("*.py") for kind in spec_kinds(path)}
    kinds |= {"batch_norm_training", "argmax", "positive", "identity"}
    mine = common(functions(folder / "script" / file), kinds)
    assert mine == common(wanted, kinds)
    if file == "ops.py":
        written = functions(folder / "script" / file)
        assert {name: written[name] for name in mine} == {name: wanted[name] for name in mine}


def test_gradients_in_scripts_are_the_same_functions():
    wanted = functions(BACKENDS["numpy"] / "gradients.py")
    written = functions(BACKENDS["numpy"] / "script" / "gradients.py")
    assert list(written) == list(wanted)
    assert written == wanted


@pytest.mark.parametrize("backend", [*BACKENDS, *INFERENCE_ONLY])
def test_what_scripts_are_written_by_imports_no_framework(backend):
    folder = (BACKENDS | INFERENCE_ONLY)[backend]
    writers = [
        path for path in (folder / "script").glob("*.py") if not path.name.startswith("parts")
    ]
    assert len(writers) >= 2
    for path in writers:
        used = {name.split(".")[0] for name in imports(path, (folder.name, "script"))}
        assert not used & FRAMEWORKS, f"{path} imports {used & FRAMEWORKS}"


@pytest.mark.parametrize("backend", [*BACKENDS, *INFERENCE_ONLY])
def test_devices_are_asked_alike(backend):
    mine = functions((BACKENDS | INFERENCE_ONLY)[backend] / "device.py")
    assert {"devices", "resolve", "peak_memory"} <= set(mine)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("file", "protocol"),
    [
        ("program.py", "InferenceProgram"),
        ("program.py", "TrainingProgram"),
        ("backend.py", "Backend"),
    ],
)
def test_classes_follow_the_protocols_order(backend, file, protocol):
    wanted = classes(CORE / "protocol" / file)[protocol]
    assert common(methods(BACKENDS[backend] / file), wanted) == wanted


@pytest.mark.parametrize("backend", INFERENCE_ONLY)
@pytest.mark.parametrize(
    ("file", "protocol"), [("program.py", "InferenceProgram"), ("backend.py", "Backend")]
)
def test_classes_that_only_infer_follow_the_protocols_order(backend, file, protocol):
    wanted = classes(CORE / "protocol" / file)[protocol]
    [mine] = [
        names
        for names in classes(INFERENCE_ONLY[backend] / file).values()
        if "build" in names or "infer" in names
    ]
    assert common(mine, wanted) == wanted


@pytest.mark.parametrize("backend", INFERENCE_ONLY)
def test_a_distribution_of_its_own_says_what_dnnbench_says(backend):
    project = tomllib.loads((INFERENCE_ONLY[backend] / "pyproject.toml").read_text())["project"]
    core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["dnnbench"] == {backend: f"dnnbench_{backend}.plugin"}
    assert project["requires-python"] == core["requires-python"]


@pytest.mark.parametrize("backend", INFERENCE_ONLY)
def test_its_readme_is_one_screen(backend):
    lines = (INFERENCE_ONLY[backend] / "README.md").read_text().splitlines()
    assert 10 < len(lines) <= 40


def test_no_two_test_files_have_one_name():
    """Pytest takes the second for the first, and collects none of it."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
