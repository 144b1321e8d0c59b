"""One file a section: each announces `BUILDER`, and `dnnbench.report.builders` finds it."""
