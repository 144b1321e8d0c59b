"""PyTorch's own recurrent layers, which torch.compile leaves as they are.

Traced, a layer would be unrolled: 35 steps of two LSTMs make 1.7 MB of C++, which takes minutes to
compile and runs slower. `nn.LSTM` breaks the graph at its layer as well.
"""

import torch
from torch.overrides import handle_torch_function, has_torch_function_unary


@torch.compiler.disable
def lstm_layer(x, h, c, weight, recurrent, bias, trains):
    """(hidden states (N, T, H), last hidden state (1, N, H), last cell state (1, N, H))

    x: (N, T, I)   h, c: (1, N, H)   PyTorch adds two biases; its second one is zero.
    """
    if has_torch_function_unary(x):  # a stand-in, of whom it is written down that it comes here
        arguments = (x, h, c, weight, recurrent, bias, trains)
        return handle_torch_function(lstm_layer, (x,), *arguments)
    parameters = [weight, recurrent, bias, torch.zeros_like(bias)]
    return torch.lstm(x, (h, c), parameters, True, 1, 0.0, trains, False, True)


@torch.compiler.disable
def gru_layer(x, h, weight, recurrent, bias, second_bias, trains):
    """(hidden states (N, T, H), last hidden state (1, N, H))

    x: (N, T, I)   h: (1, N, H)
    """
    if has_torch_function_unary(x):
        arguments = (x, h, weight, recurrent, bias, second_bias, trains)
        return handle_torch_function(gru_layer, (x,), *arguments)
    parameters = [weight, recurrent, bias, second_bias]
    return torch.gru(x, h, parameters, True, 1, 0.0, trains, False, True)
