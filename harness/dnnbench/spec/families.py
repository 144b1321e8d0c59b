"""Which workloads are one family: sizes and variants of one network, which tell the same thing
twice.
"""

import re

_FIRST_WORD = re.compile(r"[^\W\d_]+")


def family(workload: str) -> str:
    """The first word of a workload's name, without what follows a digit, `_` or bracket.

    resnet18, resnet34[tiny] and resnet50 are `resnet`; mlp, mlp_digits and mlp_table are `mlp`; of
    `net.py:make_net` it is the first word behind the file.  Names of users may put more into one
    family than belongs there, which makes an interval over families wider, not narrower.
    """
    plain = workload.partition("[")[0].rpartition(":")[2]
    word = _FIRST_WORD.search(plain)
    return word[0].lower() if word else workload
