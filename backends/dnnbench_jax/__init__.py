"""Networks in JAX."""
