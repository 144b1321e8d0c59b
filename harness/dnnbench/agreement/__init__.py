"""Whether two backends compute the same thing: observe, compare with the reference, say how far apart."""
