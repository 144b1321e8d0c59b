"""Estimates, intervals and verdicts from visits: numbers in, numbers out."""
