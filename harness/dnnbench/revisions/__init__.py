"""Revisions of a project under git: which are meant, and an environment with each installed."""
