"""How often `dnnbench history` is wrong: `python -m history_study`, or `make history-study`.

Series of nightly runs are simulated from parts that were recorded, and the rule looks at them after
every night; other tools' rules see the same series.
"""
