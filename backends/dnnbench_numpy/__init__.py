"""The reference: networks in NumPy, written to be read as mathematics."""
