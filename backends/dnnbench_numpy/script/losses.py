"""The code of what the model predicts."""


def argmax(z):
    return f"{z}.argmax(axis=-1)"


def positive(z):
    return f"({z} > 0).astype(np.int64)"


def identity(z):
    return str(z)
