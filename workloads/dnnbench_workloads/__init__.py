"""Networks that people measure, one family a file."""
