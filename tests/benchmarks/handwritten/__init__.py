"""The two digits networks as a careful user of each framework writes them, without dnnbench.

Every module has `Trainer(network, mode, weights)`, `network` being `mlp_digits` or `cnn_digits`
and `weights` NumPy arrays by canonical name. It computes what dnnbench's Program does:
the same mathematics, first weights and optimizer.

    phases(images, labels)    the five phases as functions without arguments, each of which returns
                              when it is done: infer (logits, prediction), forward (logits, ...),
                              loss (logits, loss, ...), gradients (logits, loss, gradients),
                              train_step (logits, loss)
    restart()                 go back to the first weights, with the optimizer at rest
    weights()                 by canonical name, as NumPy arrays in canonical layouts
    gradients_in(result)      likewise, of what `gradients` returned
"""
