"""Networks in TensorFlow."""
