from collections import Counter
from itertools import islice, pairwise

import pytest
from dnnbench.execution.rounds import schedule, starting_order, thinning, williams

SIZES = range(1, 9)


def block(n):
    """Rounds in one block of a Williams design."""
    return n if n % 2 == 0 or n == 1 else 2 * n


def orders(arms, seed, rounds, phases=("infer",), start=0):
    made = schedule(dict.fromkeys(phases, arms), seed)
    return [dict(phases) for phases in islice(made, start, start + rounds)]


def test_every_arm_starts_in_every_place_equally_often_whatever_its_name():
    arms = ["base", "twin", "another"]
    drawn = [starting_order(arms, seed) for seed in range(3000)]
    assert drawn == [starting_order(arms, seed) for seed in range(3000)]
    assert arms == ["base", "twin", "another"]
    places = Counter((arm, place) for order in drawn for place, arm in enumerate(order))
    assert len(places) == 9, places
    assert all(abs(count - 1000) < 120 for count in places.values()), places


@pytest.mark.parametrize("n", SIZES)
def test_each_label_is_at_each_position_and_after_each_other_equally_often(n):
    rows = williams(n)
    places = Counter((label, position) for row in rows for position, label in enumerate(row))
    neighbours = Counter(pair for row in rows for pair in pairwise(row))
    assert len(rows) == block(n)
    assert all(sorted(row) == list(range(n)) for row in rows)
    assert set(places.values()) == {len(rows) // n}
    assert len(places) == n * n
    assert len(neighbours) == n * (n - 1)
    assert len(set(neighbours.values())) <= 1


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("number", [0, 3])
def test_each_block_of_a_schedule_is_balanced_in_every_phase(n, number):
    arms = [f"arm{i}" for i in range(n)]
    for phase in ("infer", "loss"):
        rows = [
            order[phase]
            for order in orders(arms, 5, block(n), ("infer", "loss"), number * block(n))
        ]
        places = Counter((arm, position) for row in rows for position, arm in enumerate(row))
        neighbours = Counter(pair for row in rows for pair in pairwise(row))
        assert set(places.values()) == {block(n) // n}
        assert len(places) == n * n
        assert len(neighbours) == n * (n - 1)
        assert len(set(neighbours.values())) <= 1


def test_the_same_seed_gives_the_same_order_and_another_seed_another():
    arms = ["a", "b", "c", "d"]
    assert orders(arms, 1, 40) == orders(arms, 1, 40) != orders(arms, 2, 40)


def test_labels_change_from_block_to_block():
    blocks = [orders(["a", "b", "c", "d"], 1, 4, start=4 * i) for i in range(12)]
    assert len({frozenset(tuple(order["infer"]) for order in one) for one in blocks}) > 1


def test_phases_come_in_changing_order_and_all_in_each_round():
    rounds = list(islice(schedule({"infer": ["a", "b"], "loss": ["a"], "control": ["c"]}, 0), 200))
    names = [tuple(phase for phase, _ in one) for one in rounds]
    assert {frozenset(one) for one in names} == {frozenset(("infer", "loss", "control"))}
    assert len(set(names)) == 6
    assert all(sorted(dict(one)["infer"]) == ["a", "b"] for one in rounds)
    assert all(dict(one)["loss"] == ["a"] for one in rounds)


def test_the_caller_keeps_its_lists():
    arms = ["a", "b", "c"]
    list(islice(schedule({"infer": arms}, 3), 30))
    assert arms == ["a", "b", "c"]


def test_a_thinned_arm_is_visited_every_nth_round_beginning_with_the_first():
    rounds = islice(schedule({"infer": ["a", "b"], "loss": ["a", "b"]}, 0, {("infer", "b"): 4}), 12)
    seen = [dict(one) for one in rounds]
    assert [i for i, one in enumerate(seen) if "b" in one["infer"]] == [0, 4, 8]
    assert all("a" in one["infer"] for one in seen)
    assert all("b" in one["loss"] for one in seen)


@pytest.mark.parametrize(
    ("slow", "n"),
    [(0.0011, 1), (0.0099, 1), (0.01, 2), (0.0199, 2), (0.02, 4), (0.1, 16), (100.0, 16)],
)
def test_arms_ten_times_slower_are_thinned(slow, n):
    assert thinning({"fast": 0.001, "slow": slow}) == {"fast": 1, "slow": n}


def test_nothing_to_thin():
    assert thinning({}) == {}
