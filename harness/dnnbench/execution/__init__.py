"""From a request to numbers in a store: plan, check, measure, resume."""
