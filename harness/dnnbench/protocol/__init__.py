"""What a backend must be able to do, and the laws it obeys."""
