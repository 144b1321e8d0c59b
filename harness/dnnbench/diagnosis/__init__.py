"""What is wrong after a divergence: which node, loss or optimizer, and which known fault gives just that tensor."""
