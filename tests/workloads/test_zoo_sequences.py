"""Transformers, recurrent networks and recommenders of the zoo:
published sizes, and that each does what its name says.
"""

import csv
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from dnnbench.api.predict import differing_on
from dnnbench.data.dataset import load
from dnnbench.plugins.catalog import find_workload
from dnnbench.plugins.discovery import load_backend, plugins
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench.spec.costs import parameter_count
from dnnbench.spec.optimizers import Sgd
from dnnbench.spec.weights import initial_weights
from dnnbench.store.store import open_store
from dnnbench.worker.training import TrainingSession
from helpers.running import dnnbench

with (Path(__file__).parents[1] / "golden" / "models.csv").open() as file:
    PUBLISHED = {row["model"]: row for row in csv.DictReader(file)}
NAMES = {
    "vit_b_16": "vit_b_16",
    "bert_base": "bert_base[head=pooled]",
    "gpt2_small": "gpt2_small",
    "ncf": "ncf",
}
"""Workload by row of the published table."""
ZOO = (
    "vit_b_16", "bert_base", "gpt2_small", "gpt2_small_prefill", "gpt2_small_decode",
    "lstm_lm", "gru_seq2seq", "ncf", "dlrm", "mlp_table",
)  # fmt: skip
TINY_PARAMETERS = 200_000


def macs(model, without=()):
    return sum(n.op.macs(model.input_types(n)) for n in model.nodes if n.name not in without)


def kinds(workload):
    return {node.op.kind for node in workload.model.nodes}


def built(name):
    workload = find_workload(name)
    return workload, program_of(workload)


def program_of(workload):
    arm = Arm("numpy", "eager", dtype="float64", threads=1)
    return load_backend(plugins().backend("numpy").target).build(
        workload, initial_weights(workload.model, 0), arm, 0
    )


def infer(program, inputs):
    n = len(next(iter(inputs.values())))
    batch = Batch(inputs, np.zeros((n, 1), np.int32))
    return program.get(program.infer(program.put(batch)))


def ids(shape, below, seed=0):
    return np.random.default_rng(seed).integers(0, below, shape).astype(np.int32)


@pytest.mark.parametrize("row", NAMES)
def test_parameters_are_the_published_ones(row):
    assert parameter_count(find_workload(NAMES[row]).model) == int(PUBLISHED[row]["params"])


@pytest.mark.parametrize("row", [row for row in NAMES if PUBLISHED[row]["macs_forward_batch1"]])
def test_products_are_the_published_ones(row):
    """BERT's row counts its encoder, without the pooler."""
    assert macs(find_workload(NAMES[row]).model, {"pooler"}) == int(
        PUBLISHED[row]["macs_forward_batch1"]
    )


def test_masked_language_head_has_the_size_of_the_published_one():
    """A dense of 768, its norm and a bias of 30522 in place of the pooler.

    The logits' weight is the table's.
    """
    pooled = int(PUBLISHED["bert_base"]["params"]) - (768 * 768 + 768)
    assert (
        parameter_count(find_workload("bert_base").model)
        == pooled + 768 * 768 + 768 + 2 * 768 + 30522
    )


@pytest.mark.parametrize("name", ["gpt2_small_prefill", "gpt2_small_decode"])
def test_gpt2_is_the_same_network_in_all_its_forms(name):
    training, form = (find_workload(f"{n}[tiny]").model for n in ("gpt2_small", name))
    assert form.parameters == training.parameters
    assert find_workload(name).inference_only
    assert not find_workload("gpt2_small").inference_only


@pytest.mark.parametrize("name", ZOO)
def test_tiny_keeps_every_kind_of_op_and_is_small(name):
    full, tiny = find_workload(name), find_workload(f"{name}[tiny]")
    assert kinds(tiny) == kinds(full)
    assert parameter_count(tiny.model) < TINY_PARAMETERS < 50 * parameter_count(full.model)
    assert tiny.name == f"{name}[tiny]"


@pytest.mark.parametrize("name", ZOO)
def test_tiny_data_fit_and_batch_is_a_parameter(name):
    workload = find_workload(f"{name}[tiny,batch=3]")
    data = load(workload)
    assert workload.batch_size == 3
    assert len(data.y_train) >= 20
    assert set(data.x_train) == {source.name for source in workload.model.inputs}


@pytest.mark.parametrize("name", ZOO)
def test_tiny_is_computed_and_learned_by_the_reference(name):
    workload, program = built(f"{name}[tiny,batch=4]")
    data = load(workload)
    batch = program.put(Batch(data.x_train, data.y_train).rows(slice(0, 4)))
    outputs = program.get(program.infer(batch))
    for output in workload.model.outputs:
        assert outputs[f"outputs/{output}"].shape == (4, *workload.model.types[output].shape)
    if not workload.inference_only:
        losses = [
            float(program.get({"loss": program.train_step(batch)["loss"]})["loss"])
            for _ in range(8)
        ]
        assert np.isfinite(losses).all()
        assert losses[-1] < losses[0]


def test_decoding_token_by_token_says_what_the_whole_text_says():
    """Prompt of 7, then one token after its caches:
    the logits of the training network over all 8.
    """
    tokens = ids((2, 8), 256)
    _, whole = built("gpt2_small[tiny,tokens=8]")
    _, prefill = built("gpt2_small_prefill[tiny,tokens=7]")
    _, decode = built("gpt2_small_decode[tiny,tokens=8]")
    logits = infer(whole, {"tokens": tokens})["outputs/logits"]
    prompt = infer(prefill, {"tokens": tokens[:, :7]})
    np.testing.assert_allclose(prompt["outputs/logits"][:, 0], logits[:, 6], rtol=1e-9, atol=1e-12)
    parts = product(range(2), ("key", "value"))
    cache = {f"layer{i}.past_{part}s": prompt[f"outputs/layer{i}.{part}"] for i, part in parts}
    step = infer(decode, {"tokens": tokens[:, 7:], **cache})
    np.testing.assert_allclose(step["outputs/logits"][:, 0], logits[:, 7], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(step["outputs/layer1.keys"][:, :7], cache["layer1.past_keys"])
    assert step["outputs/layer1.values"].shape == (2, 8, 64)


@pytest.mark.parametrize("name, key", [
    ("gpt2_small[tiny]", "tokens"), ("lstm_lm[tiny]", "tokens"), ("gru_seq2seq[tiny]", "target"),
])  # fmt: skip
def test_language_models_do_not_look_ahead(name, key):
    workload, program = built(name)
    inputs = {
        i.name: ids((1, *i.shape), workload.model.vocabularies[i.name])
        for i in workload.model.inputs
    }
    changed = {k: v.copy() for k, v in inputs.items()}
    changed[key][0, 4] ^= 1
    before, after = (infer(program, x)["outputs/logits"][0] for x in (inputs, changed))
    np.testing.assert_array_equal(before[:4], after[:4])
    assert (before[4:] != after[4:]).any(axis=-1).all()


def test_encoder_s_last_state_reaches_every_answer():
    _, program = built("gru_seq2seq[tiny]")
    source, target = ids((1, 6), 12), ids((1, 6), 12, seed=1)
    other = source.copy()
    other[0, 0] ^= 1
    before, after = (
        infer(program, {"source": s, "target": target})["outputs/logits"] for s in (source, other)
    )
    assert (before != after).any(axis=-1).all()


def test_bert_sees_both_ways_but_nothing_behind_the_mask():
    _, program = built("bert_base[tiny]")
    tokens, mask = ids((1, 32), 257), np.arange(32)[None] < 20
    inputs = {"tokens": tokens, "segments": np.zeros_like(tokens), "mask": mask}
    hidden, seen = tokens.copy(), tokens.copy()
    hidden[0, 25] ^= 1
    seen[0, 19] ^= 1
    base, unseen, moved = (
        infer(program, inputs | {"tokens": t})["outputs/logits"][0] for t in (tokens, hidden, seen)
    )
    np.testing.assert_array_equal(base[:20], unseen[:20])
    assert (base != moved).any(axis=-1).all()
    parted = infer(program, inputs | {"segments": np.ones_like(tokens)})["outputs/logits"][0]
    assert not np.allclose(base, parted)


def test_vit_knows_where_its_patches_are():
    _, program = built("vit_b_16[tiny]")
    image = np.random.default_rng(0).random((1, 24, 24, 3)).astype(np.float32)
    moved = np.roll(image, 6, axis=1)
    first, second = (infer(program, {"image": x})["outputs/logits"] for x in (image, moved))
    assert not np.allclose(first, second, atol=1e-6)


def test_dlrm_multiplies_every_pair_of_features():
    model = find_workload("dlrm").model
    assert model.types["products"].shape == (27, 27)
    assert len(model.vocabularies) == 26
    assert set(model.vocabularies.values()) == {100_000}


def test_loss_of_an_epoch_is_the_mean_over_labels_that_count():
    """With a rate near 0 the weights stand still, so that the epoch's loss is the whole
    training set's.
    """
    workload = find_workload("bert_base[tiny,batch=7]")
    data = load(workload)
    batch = Batch(data.x_train, data.y_train).rows(slice(0, 17))
    task = workload.task.model_copy(update={"optimizer": Sgd(learning_rate=1e-300)})
    still = workload.model_copy(update={"model": without_dropout(workload.model), "task": task})
    program = program_of(still)
    assert len(set((batch.targets >= 0).sum(axis=1))) > 1
    session = TrainingSession(program, still, batch, 7, 0)
    score = session.evaluate(batch).score
    assert session.train_epoch(1).loss == pytest.approx(score.loss, rel=1e-9)
    assert score.counted == (batch.targets >= 0).sum()


def without_dropout(model):
    nodes = [
        n.model_copy(update={"op": n.op.model_copy(update={"rate": 0.0})}) if n.op.random else n
        for n in model.nodes
    ]
    return model.model_copy(update={"nodes": tuple(nodes)})


@pytest.mark.slow
@pytest.mark.parametrize("name", [
    "mlp_table[table=diabetes]", "mlp_table[tiny]",
    *(pytest.param(name, marks=pytest.mark.exhaustive)
      for name in ("mlp_table", "mlp_table[table=breast_cancer]", "gru_seq2seq[tiny]")),
])  # fmt: skip
def test_training_reaches_the_stated_target(tmp_path, name):
    done = train(tmp_path, name, "--json")
    assert done.returncode == 0, done.stderr
    [course] = json.loads(done.stdout)["courses"]
    last = course["epochs"][-1]
    assert course["reached"]
    assert last["test_loss"] > 0
    assert (last["accuracy"] is None) == ("diabetes" in name)


@pytest.mark.parametrize("name, other, differing", [
    ("mlp_table[table=diabetes]", [[1.0001], [2.0]], []),
    ("mlp_table[table=diabetes]", [[1.1], [float("nan")]], [0, 1]),
    ("mlp_table", [1, 3], [1]),
    ("lstm_lm[tiny]", [[1, 2], [2, 2]], []),
])  # fmt: skip
def test_predictions_differ_by_class_or_by_more_than_rounding(name, other, differing):
    first = {"mlp_table": [1, 2], "lstm_lm[tiny]": [[1, 2], [2, 2]]}.get(name, [[1.0], [2.0]])
    predictions = [np.array(first), np.array(other)]
    assert differing_on(find_workload(name), predictions) == differing


def test_training_of_a_form_for_inference_is_refused(tmp_path):
    done = train(tmp_path, "gpt2_small_decode[tiny]")
    assert done.returncode == 2
    assert "is a form for inference" in done.stderr


@pytest.mark.exhaustive  # six seconds of training, since the text is as long as it is
def test_the_run_remembers_which_text_it_learned(tmp_path):
    done = train(
        tmp_path,
        "lstm_lm[tiny,tokens=16,units=2,batch=512]",
        "--epochs",
        "1",
        "--store",
        "s.sqlite",
    )
    assert done.returncode == 1, "one epoch does not reach the target"
    with open_store(str(tmp_path / "s.sqlite")) as store:
        [facts] = store.runs()["settings"].iloc[0]["data_facts"].values()
    assert len(facts["sha256"]) == 64
    assert "standard library of Python" in facts["source"]


def train(place, *arguments):
    return dnnbench(place, "train", *arguments, "--backend", "numpy", "--threads", "1")
