"""The element types that a user can ask for; `precision` says what each of them means."""

from enum import StrEnum


class DType(StrEnum):
    """An element type by the name that --dtype takes."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    TF32 = "tf32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    MIXED_BFLOAT16 = "mixed_bfloat16"
    MIXED_FLOAT16 = "mixed_float16"
