"""Values of Python are read as the command line reads its texts."""

import pytest
from dnnbench.api.call import call_text
from dnnbench.api.options import text_of
from dnnbench.api.run import run, run_request
from dnnbench.errors import UsageError
from dnnbench.execution.settings import Settings
from dnnbench.masking import masked_words
from dnnbench.protocol.device import Device
from dnnbench.spec.builder import Builder

PLAIN = {
    name: parameter
    for name, parameter in run.__kwdefaults__.items()
    if name not in ("label", "resume", "wait", "store", "progress")
}


def request(**options):
    return run_request(["mlp_digits"], **{**PLAIN, "threads": 1, **options})


READ = {
    "seconds as a text": ({"max_time": "2m"}, "max_time_s", 120.0),
    "seconds as a number": ({"max_time": 90}, "max_time_s", 90.0),
    "a share as a text": ({"precision": "5%"}, "precision", 0.05),
    "a share as a number": ({"precision": 0.05}, "precision", 0.05),
    "generations": ({"generations": 6}, "generations", 6),
    "generations as the noise asks": ({"generations": "auto"}, "generations", None),
    "phases": ({"phase": ["infer", "loss"]}, "phases", ("infer", "loss")),
    "phases as a text": ({"phase": "infer,loss"}, "phases", ("infer", "loss")),
    "a type": ({"dtype": "bfloat16"}, "dtypes", ("bfloat16",)),
    "types": ({"dtype": ["float32", "bfloat16"]}, "dtypes", ("float32", "bfloat16")),
    "threads": ({"threads": [1, 2]}, "threads", (1, 2)),
    "devices": ({"device": "cpu,gpu:1"}, "devices", (Device("cpu"), Device("gpu", 1))),
    "no check": ({"check": False}, "check", False),
}


@pytest.mark.parametrize("options, name, value", READ.values(), ids=READ)
def test_it_is_read(options, name, value):
    assert getattr(request(**options).settings, name) == value


def test_the_defaults_are_the_settings_own():
    assert request().settings == Settings(threads=(1,))


@pytest.mark.parametrize("sizes", [[1, 64], "1,64", (1, 64)])
def test_batch_sizes_are_a_list_or_a_text(sizes):
    assert request(batch_size=sizes).batch_sizes == (1, 64)


REFUSED = {
    "max_time": "soon",
    "precision": 2,
    "generations": 0,
    "phase": "infr",
    "dtype": "float31",
    "batch_size": 0,
    "threads": 0,
    "seed": -1,
    "timing": "quick",
    "memory": "none",
    "backend": [3],
}


@pytest.mark.parametrize("name, value", REFUSED.items(), ids=REFUSED)
def test_a_value_that_cannot_be_meant_is_refused_by_the_option_s_name(name, value):
    with pytest.raises(UsageError, match=f"^{name}: got"):
        request(**{name: value})


def test_a_run_that_goes_on_takes_no_option_of_measuring():
    with pytest.raises(UsageError, match="takes no quick; leave it out"):
        run(resume="latest", quick=True)


def called(*workloads, **options):
    return call_text(run, {**run.__kwdefaults__, "workloads": workloads[0], **options})


def test_a_call_is_told_by_what_is_not_the_default():
    said = "dnnbench.run(['mlp_digits'], backend=['torch', 'jax'], quick=True)"
    assert called(["mlp_digits"], backend=["torch", "jax"], quick=True) == said


def test_a_model_is_told_by_its_name():
    net = Builder("own")
    model = net.build(net.relu(net.input("x", (3,))))
    assert called([model]) == "dnnbench.run([<Model own>])"


@pytest.mark.parametrize("share", [0.01, 0.05, 1 / 3, 1e-6])
def test_a_number_is_written_as_exactly_as_it_is(share):
    assert float(text_of(share)) == pytest.approx(share, rel=1e-9)


def test_a_password_in_a_call_is_masked_where_the_run_is_stored():
    said = called(["mlp_digits"], backend="torch@new", store="postgresql://me:hush@host/db")
    [word] = masked_words([said])
    assert "torch@new" in word
    assert "hush" not in word
