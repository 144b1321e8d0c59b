"""What is wrong after a divergence: which node, loss or optimizer, and by which known fault."""
