"""The networks as users write them, a file of networks and a file of training a framework style.

The files of networks mirror each other: the same functions in the same order, of the same sizes.
Nothing here is dnnbench's but the names of weights, which tell what is compared with what.
"""
