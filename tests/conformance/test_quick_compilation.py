"""Which tests compile without the optimisation of machine code."""

import os

import pytest
from helpers.quick_compilation import FLAGS, flags


@pytest.mark.parametrize(
    ("marks", "environment", "expected"),
    [
        ("not exhaustive", {}, FLAGS),
        ("", {}, None),
        ("not exhaustive", {"XLA_FLAGS": "--xla_dump_to=x"}, None),
    ],
)
def test_the_matrix_and_whoever_chose_flags_compile_as_users_do(marks, environment, expected):
    assert flags(marks, environment) == expected


def test_workers_of_this_folder_get_what_was_chosen(request, quick_compilation):
    chosen = FLAGS if request.config.option.markexpr else None
    assert os.environ.get("XLA_FLAGS") == chosen
