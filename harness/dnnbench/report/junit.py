"""A gate as JUnit XML, which CI systems show beside the tests: a case a cell.

Form: https://github.com/testmoapp/junitxml, which describes what the common readers take.
"""

from xml.etree import ElementTree

from ..execution.gate_cells import Answer, Gate, GateCell
from ..wording import one_line
from .gate_words import reason_of

SKIPPED = (Answer.INCONCLUSIVE,)
"""Answers that speak neither for a candidate nor against it."""


def junit_of(gate: Gate) -> str:
    """A suite a candidate; what speaks against a cell is its failure, with the figures, and a
    property names the stage that decided.
    """
    root = ElementTree.Element("testsuites", name="dnnbench gate")
    for arm in dict.fromkeys(cell.arm for cell in gate.cells):
        _add_suite(root, gate, arm)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_suite(root: ElementTree.Element, gate: Gate, arm: str) -> None:
    cells = [cell for cell in gate.cells if cell.arm == arm]
    answers = [gate.answer_of(cell) for cell in cells]
    failures = [answer for answer in answers if answer not in (Answer.PASS, *SKIPPED)]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=_plain(arm),
        tests=str(len(cells)),
        failures=str(len(failures)),
        skipped=str(sum(answer in SKIPPED for answer in answers)),
        errors="0",
    )
    for cell, answer in zip(cells, answers, strict=True):
        _add_case(suite, gate, cell, answer)


def _add_case(suite: ElementTree.Element, gate: Gate, cell: GateCell, answer: Answer) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_plain(cell.arm), name=_plain(f"{cell.case} {cell.phase}")
    )
    properties = ElementTree.SubElement(case, "properties")
    ElementTree.SubElement(properties, "property", name="stage", value=cell.stage)
    why = _plain(reason_of(gate, cell))
    if answer in SKIPPED:
        ElementTree.SubElement(case, "skipped", message=f"{answer}: {why}")
    elif answer is not Answer.PASS:
        failure = ElementTree.SubElement(case, "failure", type=answer, message=f"{answer}: {why}")
        failure.text = why
    elif why:
        ElementTree.SubElement(case, "system-out").text = why


def _plain(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold: names come from files and plugins."""
    return "".join(sign for sign in one_line(text) if sign >= " " and sign not in "\ufffe\uffff")
