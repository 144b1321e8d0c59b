"""The networks as modules of torch.nn, in torchvision's manner and Hugging Face's."""

import torch
import torch.nn.functional as F
from torch import nn

from .sizes import fewer, scaled


class Mlp(nn.Module):
    def __init__(self, image=28, hidden=512, layers=2, classes=10):
        super().__init__()
        widths = [image * image, *layers * [hidden]]
        for i in range(1, layers + 1):
            self.add_module(f"fc{i}", nn.Linear(widths[i - 1], hidden))
        self.hidden = [getattr(self, f"fc{i}") for i in range(1, layers + 1)]
        self.logits = nn.Linear(hidden, classes)

    def forward(self, image):
        x = image.flatten(1)
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.logits(x)


class ConvNorm(nn.Module):
    """A convolution without bias, batch norm, and perhaps an activation in place."""

    def __init__(self, inputs, filters, kernel, stride=1, groups=1, activation=None):
        super().__init__()
        around = kernel // 2
        self.conv = nn.Conv2d(inputs, filters, kernel, stride, around, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(filters)
        self.activation = activation or nn.Identity()

    def forward(self, x):
        return self.activation(self.norm(self.conv(x)))


class Residual(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = ConvNorm(inputs, filters, 3, stride, activation=nn.ReLU(inplace=True))
        self.conv2 = ConvNorm(filters, filters, 3)
        self.downsample = ConvNorm(inputs, filters, 1, stride) if stride > 1 else nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.conv2(self.conv1(x))
        y += self.downsample(x)
        return self.relu(y)


class ResNet18(nn.Module):
    def __init__(self, image=224, width=1.0, depth=1.0, classes=1000):
        super().__init__()
        channels = scaled(64, width)
        self.conv1 = ConvNorm(3, channels, 7, 2, activation=nn.ReLU(inplace=True))
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        for stage in range(1, 5):
            filters, blocks = scaled(32 * 2**stage, width), []
            for i in range(fewer(2, depth)):
                blocks.append(Residual(channels, filters, 2 if stage > 1 and i == 0 else 1))
                channels = filters
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, classes)

    def forward(self, image):
        x = self.pool(self.conv1(image))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class Inverted(nn.Module):
    def __init__(self, inputs, expansion, filters, stride):
        super().__init__()
        wide = expansion * inputs
        relu6 = nn.ReLU6(inplace=True)
        self.expand = (
            ConvNorm(inputs, wide, 1, activation=relu6) if expansion > 1 else nn.Identity()
        )
        self.depthwise = ConvNorm(wide, wide, 3, stride, groups=wide, activation=relu6)
        self.project = ConvNorm(wide, filters, 1)
        self.adds = stride == 1 and inputs == filters

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
              (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip

    def __init__(self, image=224, width=1.0, depth=1.0, classes=1000, dropout=0.2):
        super().__init__()
        channels = scaled(32, width)
        self.stem = ConvNorm(3, channels, 3, 2, activation=nn.ReLU6(inplace=True))
        stages = []
        for number, (expansion, wanted, count, first) in enumerate(self.STAGES, start=1):
            filters, blocks = scaled(wanted, width), []
            for i in range(fewer(count, depth)):
                blocks.append(Inverted(channels, expansion, filters, first if i == 0 else 1))
                channels = filters
            stages.append(nn.Sequential(*blocks))
            self.add_module(f"stage{number}", stages[-1])
        self.stages = stages
        last = scaled(1280, max(width, 1.0))
        self.head = ConvNorm(channels, last, 1, activation=nn.ReLU6(inplace=True))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(last, classes)

    def forward(self, image):
        x = self.stem(image)
        for stage in self.stages:
            x = stage(x)
        return self.fc(self.dropout(self.head(x).mean((2, 3))))


class NormConv(nn.Module):
    def __init__(self, inputs, filters, kernel):
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, filters, kernel, padding=kernel // 2, bias=False)

    def forward(self, x):
        return self.conv(F.relu(self.norm(x), inplace=True))


class Dense(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.conv1 = NormConv(inputs, 4 * growth, 1)
        self.conv2 = NormConv(4 * growth, growth, 3)

    def forward(self, x):
        return torch.cat((x, self.conv2(self.conv1(x))), 1)


class DenseNet121(nn.Module):
    def __init__(self, image=224, width=1.0, depth=1.0, classes=1000):
        super().__init__()
        growth, channels = scaled(32, width), scaled(64, width)
        self.stem = ConvNorm(3, channels, 7, 2, activation=nn.ReLU(inplace=True))
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        blocks = []
        for block, layers in enumerate((6, 12, 24, 16), start=1):
            if block > 1:
                channels //= 2
                blocks.append(NormConv(2 * channels, channels, 1))
                self.add_module(f"transition{block - 1}", blocks[-1])
                blocks.append(nn.AvgPool2d(2))
            each = []
            for _ in range(fewer(layers, depth)):
                each.append(Dense(channels, growth))
                channels += growth
            blocks.append(nn.Sequential(*each))
            self.add_module(f"dense{block}", blocks[-1])
        self.blocks = blocks
        self.last = nn.Module()
        self.last.norm = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, classes)

    def forward(self, image):
        x = self.pool(self.stem(image))
        for block in self.blocks:
            x = block(x)
        return self.fc(F.relu(self.last.norm(x), inplace=True).mean((2, 3)))


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.projection = nn.Linear(width, width)
        self.heads, self.causal = heads, causal

    def forward(self, x, mask=None):
        shape = (*x.shape[:2], self.heads, -1)
        q, k, v = (f(x).view(shape).transpose(1, 2) for f in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=self.causal)
        return self.projection(y.transpose(1, 2).reshape(x.shape))


class Layer(nn.Module):
    """Of a transformer: norms behind each half as BERT has them, or before it as GPT-2."""

    def __init__(self, width, heads, dropout, epsilon=1e-5, gelu="none", causal=False):
        super().__init__()
        self.attention = Attention(width, heads, causal)
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=epsilon) for _ in range(2))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gelu, self.dropout = nn.GELU(gelu), nn.Dropout(dropout)
        self.first = causal

    def forward(self, x, mask=None):
        if self.first:
            x = x + self.dropout(self.attention(self.norm1(x), mask))
            return x + self.dropout(self.feed_forward(self.norm2(x)))
        x = self.norm1(x + self.dropout(self.attention(x, mask)))
        return self.norm2(x + self.dropout(self.feed_forward(x)))

    def feed_forward(self, x):
        return self.down(self.gelu(self.up(x)))


class Bert(nn.Module):
    def __init__(self, tokens=128, positions=512, vocabulary=30522, layers=12, width=768, heads=12,
                 dropout=0.1):  # fmt: skip
        super().__init__()
        self.token_table = nn.Embedding(vocabulary, width)
        self.segment_table = nn.Embedding(2, width)
        self.positions = nn.Embedding(positions, width)
        self.norm, self.dropout = nn.LayerNorm(width, eps=1e-12), nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(width, heads, dropout, 1e-12) for _ in range(layers))
        self.transform = nn.Linear(width, width)
        self.transform_norm = nn.LayerNorm(width, eps=1e-12)
        self.logits = nn.Linear(width, vocabulary)
        self.logits.weight = self.token_table.weight
        self.register_buffer("places", torch.arange(tokens), persistent=False)

    def forward(self, tokens, segments, mask):
        x = self.token_table(tokens) + self.segment_table(segments) + self.positions(self.places)
        x = self.dropout(self.norm(x))
        for layer in self.layers:
            x = layer(x, mask[:, None, None])
        return self.logits(self.transform_norm(F.gelu(self.transform(x))))


class Gpt2(nn.Module):
    def __init__(self, tokens=1024, positions=1024, vocabulary=50257, layers=12, width=768,
                 heads=12, dropout=0.1):  # fmt: skip
        super().__init__()
        self.token_table = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(positions, width)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            Layer(width, heads, dropout, gelu="tanh", causal=True) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, vocabulary, bias=False)
        self.logits.weight = self.token_table.weight
        self.register_buffer("places", torch.arange(tokens), persistent=False)

    def forward(self, tokens):
        x = self.dropout(self.token_table(tokens) + self.positions(self.places))
        for layer in self.layers:
            x = layer(x)
        return self.logits(self.norm(x))


class LstmLanguageModel(nn.Module):
    def __init__(self, tokens=35, vocabulary=10000, units=650, layers=2, dropout=0.5):
        super().__init__()
        self.token_table = nn.Embedding(vocabulary, units)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(units, units, layers, batch_first=True, dropout=dropout)
        self.logits = nn.Linear(units, vocabulary)

    def forward(self, tokens):
        x, _ = self.lstm(self.dropout(self.token_table(tokens)))
        return self.logits(self.dropout(x))


class GruSeq2seq(nn.Module):
    def __init__(self, tokens=30, vocabulary=15000, features=500, units=1000, layers=2):
        super().__init__()
        self.source_table = nn.Embedding(vocabulary, features)
        self.target_table = nn.Embedding(vocabulary, features)
        self.encoder = nn.GRU(features, units, layers, batch_first=True)
        self.decoder = nn.GRU(features, units, layers, batch_first=True)
        self.logits = nn.Linear(units, vocabulary)

    def forward(self, source, target):
        _, last = self.encoder(self.source_table(source))
        y, _ = self.decoder(self.target_table(target), last)
        return self.logits(y)


NETWORKS = {
    "mlp": Mlp,
    "resnet18": ResNet18,
    "mobilenet_v2": MobileNetV2,
    "densenet121": DenseNet121,
    "bert_base": Bert,
    "gpt2_small": Gpt2,
    "lstm_lm": LstmLanguageModel,
    "gru_seq2seq": GruSeq2seq,
}
