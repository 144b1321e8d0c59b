"""Type, threads and device belong to an arm: how several are asked for, named, checked, ranked."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from dnnbench.data.dataset import load
from dnnbench.errors import UsageError
from dnnbench.execution.arm_text import parse, separate
from dnnbench.execution.arms import base_arm, select
from dnnbench.execution.checking import check_agreement, check_request
from dnnbench.execution.facts import AuditFacts, ProgramFacts
from dnnbench.execution.fairness import fairness_audit, unequal
from dnnbench.execution.gate import bases, own_base, refuse_pairs_of_bases, with_base
from dnnbench.execution.measured import Measured
from dnnbench.execution.plan import Plan, resolved
from dnnbench.execution.record import Record
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings, gate_settings
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm, telling_apart
from dnnbench.protocol.device import AUTO, CPU, Device
from dnnbench.protocol.dtypes import DType
from dnnbench.protocol.keys import CaseKey, CellKey, ProgramKey
from dnnbench.store.run_rows import cell_rows
from dnnbench.store.store import open_store
from helpers.running import FAST, dnnbench

F32, F64, BF16 = DType.FLOAT32, DType.FLOAT64, DType.BFLOAT16
GPU = Device("gpu")
CASE = CaseKey("net", 4)


def names(texts, **settings):
    return [arm.name for arm in select([texts], Settings(**{"threads": (1,), **settings})).arms]


@pytest.mark.parametrize(
    ("texts", "settings", "expected"),
    [
        ("numpy", {}, ["numpy:eager"]),
        ("numpy[dtype=float64]", {}, ["numpy:eager[dtype=float64]"]),
        (
            "numpy",
            {"dtypes": (F32, F64)},
            ["numpy:eager[dtype=float32]", "numpy:eager[dtype=float64]"],
        ),
        (
            "numpy[threads=1,2]",
            {"dtypes": (F64,)},
            ["numpy:eager[threads=1]", "numpy:eager[threads=2]"],
        ),
        (
            "numpy[dtype=float64,threads=2],torch",
            {},
            ["numpy:eager[dtype=float64,threads=2]", "torch:eager[dtype=float32,threads=1]"],
        ),
        (
            "numpy,numpy[device=gpu]",
            {},
            ["numpy:eager[device=auto]", "numpy:eager[device=gpu]"],
        ),
        ("numpy,numpy[dtype=float32]", {}, ["numpy:eager[dtype=float32]"]),
    ],
)
def test_each_combination_is_an_arm_whose_name_tells_what_varies(texts, settings, expected):
    assert names(texts, **settings) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("numpy[dtype=float33]", "got 'float33', expected one of float64"),
        ("numpy[threads=none]", "threads: got 'none', expected a whole number"),
        ("numpy[device=moon]", "device 'moon' is not known"),
        ("numpy[typ=float32]", "an arm has no 'typ'"),
        ("numpy[float32]", "got 'float32' in its brackets, expected OPTION=VALUE"),
        ("numpy[threads=1,threads=2]", "'threads' is given twice"),
        ("numpy[threads=1", "check its brackets"),
        ("[threads=1]", "names no backend"),
    ],
)
def test_what_no_option_is_says_where_and_what_was_wanted(text, words):
    with pytest.raises(UsageError, match="--backend") as refusal:
        parse(text)
    assert words in str(refusal.value)


def test_more_threads_than_cpus_are_refused_before_anything_starts():
    request = Request((find_workload("mlp_digits"),), ("numpy[threads=99999]",), Settings())
    with pytest.raises(UsageError, match="--threads 99999: this process may use"):
        make_plan(request, Silent())


def test_commas_within_brackets_part_no_arms():
    assert list(separate("a[x=1,2], b ,c[y=1]")) == ["a[x=1,2]", "b", "c[y=1]"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("torch", "torch:eager[dtype=float32,threads=1]"),
        ("torch[dtype=bfloat16]", "torch:eager[dtype=bfloat16,threads=1]"),
        ("torch[threads=2,dtype=bfloat16]", "torch:eager[dtype=bfloat16,threads=2]"),
        ("torch:eager[dtype=float32,threads=2]", "torch:eager[dtype=float32,threads=2]"),
        ("", "torch:eager[dtype=float32,threads=1]"),
    ],
)
def test_a_base_is_named_by_as_many_options_as_it_takes(wanted, expected):
    arms = telling_apart([Arm("torch", "eager", CPU, d, t) for d in (F32, BF16) for t in (1, 2)])
    assert base_arm(arms, wanted).name == expected


def test_the_name_shows_what_varies_and_does_not_make_another_arm():
    plain = Arm("torch", "eager", dtype=BF16)
    shown = plain.named_as("torch:eager[dtype=bfloat16]")
    assert shown.name == "torch:eager[dtype=bfloat16]"
    assert shown == plain


def test_the_reference_is_ranked_where_the_cpu_was_asked_for_beside_a_gpu():
    requested = select(["numpy"], Settings(threads=(1,), devices=(CPU, GPU))).arms
    arms, apart = resolved(requested, {CPU: CPU, GPU: GPU})
    assert [arm.device for arm in arms] == [CPU]
    assert apart == {}


def two_environments_in_two_types(settings=None):
    """A run whose base and candidate are each in float32 and bfloat16."""
    arms = [Arm("torch", "eager", dtype=d, environment=e) for e in ("", "new") for d in (F32, BF16)]
    cells = [
        SimpleNamespace(case=CASE, phase="infer", key=CellKey(arm, CASE, "infer"), arm=arm.name)
        for arm in telling_apart(arms)
    ]
    stored = {"base": cells[0].arm, "settings": settings or {}}
    return Measured(SimpleNamespace(settings=stored), None, tuple(cells), {}, None, ())


def test_a_gate_holds_each_type_against_the_base_in_that_type():
    run = two_environments_in_two_types()
    arms = {cell.key.arm for cell in run.cells}
    named = telling_apart([cell.key.arm for cell in run.cells])
    own = {arm.name: own_base(arm, run.base_arm, arms) for arm in named}
    assert {name: base.named_as("[dtype=").name for name, base in own.items()} == {
        "torch:eager[dtype=float32]": "torch:eager[dtype=float32]",
        "torch:eager[dtype=bfloat16]": "torch:eager[dtype=bfloat16]",
        "torch:eager@new[dtype=float32]": "torch:eager[dtype=float32]",
        "torch:eager@new[dtype=bfloat16]": "torch:eager[dtype=bfloat16]",
    }


def arms_of(*names):
    """Arms from BACKEND@ENVIRONMENT."""
    return [
        Arm(name.partition("@")[0], "eager", environment=name.partition("@")[2]) for name in names
    ]


@pytest.mark.parametrize(
    ("names", "held_against"),
    [
        (["torch@a", "torch@b"], {"torch@b": "torch@a"}),
        (["torch", "jax"], {"jax": "torch"}),
        (["torch", "jax", "torch@b", "jax@b"], {"torch@b": "torch", "jax@b": "jax"}),
        (["torch", "torch@b", "jax"], {"torch@b": "torch", "jax": "torch"}),
        (["torch@a", "torch@b", "jax@b"], {"torch@b": "torch@a", "jax@b": "torch@a"}),
    ],
)
def test_a_candidate_is_held_against_itself_in_the_environment_of_the_base(names, held_against):
    arms = arms_of(*names)
    candidates = [arm for arm in arms if arm not in bases(arms[0], arms)]
    own = {arm: own_base(arm, arms[0], arms) for arm in candidates}
    expected = [arms_of(*pair) for pair in held_against.items()]
    assert own == {arm: base for arm, base in expected}


def test_a_run_holds_every_type_against_its_one_base():
    """A gate's run, too, when it is shown as a run: its page has one base."""
    run = two_environments_in_two_types(gate_settings().to_json())
    assert {run.base_of(cell).arm for cell in run.cells} == {"torch:eager[dtype=float32]"}
    assert [run.is_base(cell) for cell in run.cells] == [True, False, False, False]


def test_the_settings_of_a_gate_that_stored_whether_bases_match_are_read():
    stored = gate_settings().to_json() | {"matched": True}
    assert Settings.from_json(stored) == gate_settings()


@pytest.mark.parametrize("settings", [{}, {"dtypes": (F32, F64)}, {"threads": (1, 2)}])
def test_a_gate_of_the_base_alone_is_refused_in_however_many_forms(settings):
    request = Request((), ("numpy",), gate_settings(**{"threads": (1,), **settings}))
    with pytest.raises(UsageError, match="holds candidates against a base and got one arm"):
        with_base(request)


def test_pairs_whose_candidates_would_not_meet_their_own_base_are_refused():
    names = ("numpy", "torch")
    arms = telling_apart([Arm(name, "eager", dtype=d) for name in names for d in (F32, F64)])
    plan = Plan(arms, (), gate_settings(), arms[0].name, {}, paired=True)
    with pytest.raises(UsageError, match="have 2 bases between them"):
        refuse_pairs_of_bases(plan)
    refuse_pairs_of_bases(replace(plan, paired=False))
    refuse_pairs_of_bases(replace(plan, arms=(arms[0], arms[2])))


def test_an_environment_whose_path_looks_like_an_option_shows_none():
    arm = Arm("numpy", "eager", environment="envs/dtype=new")
    assert arm.named_as(arm.name).shown == ()


def audited(**product_bits):
    """How arms named BACKEND_TYPE are unequal, by the precision of their products."""
    arms = [Arm(name, "eager", dtype=DType(name.partition("_")[2])) for name in product_bits]
    arms = telling_apart(arms)
    record = Record(compile_cache="empty")
    for arm, bits in zip(arms, product_bits.values(), strict=True):
        description = {"product_bits": bits, "cpus": "0", "device": "cpu", "threads": 1}
        audit = AuditFacts(figures={"cpus_used": 1.0})
        record.programs[ProgramKey(arm, CASE)] = ProgramFacts(description, audit)
    lines = fairness_audit(SimpleNamespace(arms=arms), record, CASE)
    return unequal(lines, arms[0].name)


def test_a_type_that_was_asked_to_differ_makes_nobody_unequal():
    assert audited(torch_float32=24.0, torch_bfloat16=8.0) == {}


def test_what_differs_unasked_among_arms_of_one_type_is_told():
    found = audited(torch_float32=24.0, torch_bfloat16=8.0, jax_bfloat16=24.0)
    assert found == {
        "jax_bfloat16:eager[dtype=bfloat16]": "precision of products, dtype=bfloat16: float32, "
        "torch_bfloat16:eager[dtype=bfloat16] bfloat16"
    }


@pytest.mark.slow
def test_arms_that_differ_in_their_type_alone_are_asked_for_float64_once(cache):
    workload = find_workload("mlp_digits")
    arms = telling_apart([Arm("numpy", "eager", dtype=d) for d in (F32, BF16)])
    told = SimpleNamespace(advanced=[], stage=lambda *_: None)
    told.advance = lambda share, text="": told.advanced.append(text)
    request = check_request(workload, load(workload), 0)
    rows = check_agreement({arm: (F64, arm.dtype) for arm in arms}, [request], 1, told)
    assert sum("float64" in text for text in told.advanced) == 1
    assert {(row.arm, row.dtype) for row in rows} == {
        (arm.name, dtype) for arm in arms for dtype in (F64, arm.dtype)
    }


def test_stored_settings_of_one_type_are_read_as_a_list_of_one():
    stored = {"dtype": "bfloat16", "threads": 2, "device": "gpu:1", "seed": 7}
    settings = Settings.from_json(stored)
    assert (settings.dtypes, settings.threads) == ((BF16,), (2,))
    assert settings.devices == (Device("gpu", 1),)
    assert Settings.from_json(settings.to_json()) == settings


def test_auto_survives_the_store():
    assert Settings.from_json(Settings().to_json()).devices == (AUTO,)


@pytest.mark.slow
def test_a_sweep_is_measured_ranked_and_resumed_by_its_arms(place):
    """From the command line to the store: types as arms, with ratios to the first."""
    call = ("run", "tiny.toml", "--backend", "numpy", "--dtype", "float32,float64")
    assert dnnbench(place, *call, *FAST, "--phase", "infer").returncode == 0
    with open_store(place / "results/dnnbench.sqlite", create=False) as opened:
        cells = cell_rows(opened.cells())
        request = Request.from_json(opened.runs()["settings"].iloc[0])
    wanted = ["numpy:eager[dtype=float32]", "numpy:eager[dtype=float64]"]
    assert [cell.arm for cell in cells] == wanted
    assert [cell.key.arm.name for cell in cells] == wanted
    assert len({cell.rank_group for cell in cells}) == 1
    assert {cell.unequal for cell in cells} == {None}
    plan, _ = make_plan(request, Silent())
    assert [arm.name for arm in plan.arms] == wanted
