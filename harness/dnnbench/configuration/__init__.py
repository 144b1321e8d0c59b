"""What a project sets for dnnbench in a file: suites, environments, defaults of the commands."""
