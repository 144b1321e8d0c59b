"""Makes the expected values of tests/golden, and the manifest of their checksums:
`python tests/golden/make.py [FAMILY ...]`.

Values come from definitions.py and training.py in 60 digits, gradients from central
differences of those.
"""

import hashlib
import json
import sys
from pathlib import Path

import definitions
import numpy as np
import training
from mpmath import mpf
from networks import GOLDEN

FOLDER = Path(__file__).parent
WIDTH = mpf("1e-25")
ASIDE = mpf("1e-20")
"""How far from a kink its gradient is taken: much, in units of WIDTH."""
NUDGES = {
    "below": lambda k: -ASIDE,
    "above": lambda k: ASIDE,
    "first": lambda k: -(k + 1) * ASIDE,
    0: lambda k: 0,
}
KINDS = {"slice": definitions.slice_}


def exact(nested):
    """Nested lists as an array: floats as mpf, ids and booleans as they are."""
    array = np.array(nested, dtype=object)
    return (
        array
        if isinstance(array.reshape(-1)[0], int)
        else np.vectorize(mpf, otypes=[object])(array)
    )


def forward(case, weights, inputs, offsets, train):
    """(value by name, new state by name); offsets are added to values by name."""
    model, values, state = case["workload"]["model"], dict(inputs), {}
    constants = {c["name"] for c in model["constants"]}
    for node in model["nodes"]:
        name, attributes = node["name"], node["op"]
        roles = {
            w.removeprefix(f"{name}."): a for w, a in weights.items() if w.startswith(f"{name}.")
        }
        arguments = [weights[x] if x in constants else values[x] for x in node["inputs"]]
        if attributes["kind"] == "concat":
            size = len(next(iter(inputs.values())))
            arguments = [
                np.array([x] * size) if i in constants else x
                for i, x in zip(node["inputs"], arguments, strict=True)
            ]
        value = apply(case, name, attributes, arguments, roles, train)
        if isinstance(value, tuple):
            value, changed = value
            state |= {f"{name}.{role}": array for role, array in changed.items()}
        values[name] = value + offsets[name] if name in offsets else value
    return values, state


def apply(case, name, attributes, arguments, roles, train):
    kind = attributes["kind"]
    if kind in ("dropout", "stochastic_depth"):
        return (
            getattr(definitions, kind)(attributes, *arguments, exact(case["batch"]["masks"][name]))
            if train
            else arguments[0]
        )
    if kind == "batch_norm" and train:
        kind = "batch_norm_training"
    return KINDS.get(kind, getattr(definitions, kind, None))(attributes, *arguments, **roles)


def loss_of(case, weights, inputs, targets, offsets):
    values, _ = forward(case, weights, inputs, offsets, train=True)
    loss = case["workload"]["task"]["loss"]
    return getattr(training, loss["kind"])(loss, values["y"], targets)


def difference(loss, array):
    """d loss / d array, element by element; refuses a kink that no nudge leaves."""
    slope = np.empty(array.shape, object)
    for i in np.ndindex(*array.shape):
        middle, here = loss(), array[i]
        array[i] = here + WIDTH
        after = loss()
        array[i] = here - WIDTH
        before = loss()
        array[i] = here
        if abs((after - middle) - (middle - before)) > WIDTH * mpf("1e-10"):
            raise ValueError(f"the loss has a kink at element {i}; nudge it to a side")
        slope[i] = (after - before) / (2 * WIDTH)
    return slope


def expected(case):
    """By key of `Program.get`: outputs, loss, state, gradients; cotangents of what is read."""
    inputs = {name: exact(array) for name, array in case["batch"]["inputs"].items()}
    weights = {name: exact(array) for name, array in case["weights"].items()}
    targets, task = exact(case["batch"]["targets"]), case["workload"]["task"]
    values, state = forward(case, weights, inputs, {}, train=True)
    inferred, _ = forward(case, weights, inputs, {}, train=False)
    found = {
        "infer/y": inferred["y"],
        "outputs/y": values["y"],
        "loss": getattr(training, task["loss"]["kind"])(task["loss"], values["y"], targets),
        **{f"state/{name}": array for name, array in state.items()},
    }
    reads = [node["name"] for node in case["workload"]["model"]["nodes"] if node["name"] != "y"]
    aside = NUDGES[case["nudge"]]
    offsets = {
        name: definitions.tensor(
            values[name].shape,
            lambda *i, n=name: aside(int(np.ravel_multi_index(i, values[n].shape))),
        )
        for name in reads
    }
    loss = lambda: loss_of(case, weights, inputs, targets, offsets)  # noqa: E731
    for name in reads:
        found[f"cotangents/{name}"] = difference(loss, offsets[name])
    for name, array in weights.items():
        if name not in case["state"]:
            found[f"gradients/{name}"] = difference(loss, array)
    return found | (trained(case, weights) if "steps" in case else {})


def trained(case, weights):
    """Weights and slots after each of the case's steps."""
    optimizer, found = case["workload"]["task"]["optimizer"], {}

    def gradients_of(weights, t):
        batch, weights = (
            case["steps"][t - 1],
            {name: array.copy() for name, array in weights.items()},
        )
        inputs, targets = {"x1": exact(batch["x1"])}, exact(batch["targets"])
        loss = lambda: loss_of(case, weights, inputs, targets, {})  # noqa: E731
        return {name: difference(loss, array) for name, array in weights.items()}

    for t, (after, slots) in enumerate(
        training.trajectory(optimizer, weights, gradients_of, len(case["steps"])), 1
    ):
        found |= {f"{t}/weights/{name}": array for name, array in after.items()}
        found |= {f"{t}/slots/{name}": array for name, array in slots.items()}
    return found


def plain(value):
    """mpf as the nearest float64, arrays as lists."""
    return (
        [plain(item) for item in value]
        if isinstance(value, np.ndarray) and value.ndim
        else float(value)
    )


def document(family):
    """The text of a family's file."""
    lines = []
    for name, case in GOLDEN[family].items():
        known = case | {"expected": {key: plain(value) for key, value in expected(case).items()}}
        parts = ",\n  ".join(
            f"{json.dumps(key)}: {json.dumps(value)}" for key, value in known.items()
        )
        lines.append(f" {json.dumps(name)}: {{\n  {parts}\n }}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(families):
    for family in families or GOLDEN:
        (FOLDER / f"{family}.json").write_text(document(family))
    frozen = [
        path
        for path in sorted(FOLDER.iterdir())
        if path.suffix in (".json", ".csv") and path.stem != "manifest"
    ]
    manifest = {path.name: checksum(path) for path in frozen}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
