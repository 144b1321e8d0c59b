"""Whether two backends compute the same thing: observe, compare, say how far apart."""
