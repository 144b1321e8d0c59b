"""How the papers' code rounds channels and shortens stages."""


def scaled(channels: int, width: float) -> int:
    """Channels times `width`, the nearest multiple of 8 that keeps at least 90 % of that."""
    rounded = max(8, int(channels * width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels * width else rounded + 8


def fewer(blocks: int, depth: float) -> int:
    """Blocks of a stage times `depth`, but two where the stage has two."""
    return min(blocks, max(2, round(blocks * depth)))
