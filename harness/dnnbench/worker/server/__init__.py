"""The services of a worker as its process answers them."""
