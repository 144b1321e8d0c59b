"""docs/cli.md and docs/api.md are what the commands and functions say."""

import re
from pathlib import Path

import dnnbench
import pytest
from dnnbench.api.page import render as api_page
from dnnbench.cli.main import COMMANDS, command_of
from dnnbench.cli.page import render as cli_page

DOCS = Path(__file__).parents[2] / "docs"
CLI = (DOCS / "cli.md").read_text()
API = (DOCS / "api.md").read_text()
COMMANDS_AS_SHIPPED = {name: command_of(name) for name in COMMANDS}
"""Imported while tests are collected: a command that is first imported inside another test is made
of whatever that test has put in place of a limit or a default.
"""
SECTIONS = dict(re.findall(r"(?ms)^## `dnnbench ([\w-]+)`\n(.*?)(?=^## |\Z)", CLI))


def test_the_page_of_commands_is_what_they_say():
    assert cli_page() == CLI


def test_the_page_of_python_is_what_the_functions_say():
    assert api_page() == API


def test_every_command_has_a_section():
    assert list(SECTIONS) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_names_every_option(name):
    options = {option for each in COMMANDS_AS_SHIPPED[name].params for option in each.opts}
    missing = [each for each in options if each.startswith("-") and each not in SECTIONS[name]]
    assert missing == []


@pytest.mark.parametrize("name", [each for each in dnnbench.__all__ if each != "__version__"])
def test_every_public_name_has_a_section(name):
    assert f"### `dnnbench.{name}`" in API


def test_no_page_names_this_machine():
    assert re.findall(r"object at 0x|/home/|/root/|/tmp/(?!dnnbench\.lock)", CLI + API) == []
