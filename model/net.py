"""The network: a small Llama (RMSNorm, rotary positions, SwiGLU, grouped queries, tied embeddings)."""
import dataclasses
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclasses.dataclass(frozen=True)
class Config:
    """Shape of the network. Every row length is a multiple of 32, which q8_0 needs."""

    vocab: int = 4096
    width: int = 160
    layers: int = 5
    heads: int = 5
    kv_heads: int = 5
    hidden: int = 384
    context: int = 1024
    rope_base: float = 10000.0
    norm_eps: float = 1e-5

    @property
    def head_width(self):
        return self.width // self.heads


def rotary_table(config, length):
    """Cosine and sine per position, laid out for `rotate` (the two halves of a head are the pairs)."""
    half = torch.arange(0, config.head_width, 2).float() / config.head_width
    angles = torch.outer(torch.arange(length).float(), config.rope_base**-half)
    return torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class Norm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.eps = config.norm_eps
        self.weight = nn.Parameter(torch.ones(config.width))

    def forward(self, x):
        return F.rms_norm(x, (x.size(-1),), self.weight.to(x.dtype), self.eps)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        kv_width = config.kv_heads * config.head_width
        self.query = nn.Linear(config.width, config.width, bias=False)
        self.key = nn.Linear(config.width, kv_width, bias=False)
        self.value = nn.Linear(config.width, kv_width, bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)

    def split(self, x, heads):
        batch, length, _ = x.shape
        return x.view(batch, length, heads, self.config.head_width).transpose(1, 2)

    def forward(self, x, cos, sin):
        config = self.config
        query = rotate(self.split(self.query(x), config.heads), cos, sin)
        key = rotate(self.split(self.key(x), config.kv_heads), cos, sin)
        value = self.split(self.value(x), config.kv_heads)
        group = config.heads // config.kv_heads
        key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.output(mixed.transpose(1, 2).reshape(x.shape))


class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.gate = nn.Linear(config.width, config.hidden, bias=False)
        self.up = nn.Linear(config.width, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention_norm = Norm(config)
        self.attention = Attention(config)
        self.feed_forward_norm = Norm(config)
        self.feed_forward = FeedForward(config)

    def forward(self, x, cos, sin):
        x = x + self.attention(self.attention_norm(x), cos, sin)
        return x + self.feed_forward(self.feed_forward_norm(x))


class TinyLlama(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = Norm(config)
        cos, sin = rotary_table(config, config.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.initialise()

    def initialise(self):
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        residual_std = 0.02 / math.sqrt(2 * self.config.layers)
        for block in self.blocks:
            nn.init.normal_(block.attention.output.weight, std=residual_std)
            nn.init.normal_(block.feed_forward.down.weight, std=residual_std)

    @torch.no_grad()
    def plant_copying(self):
        """Starts with rough copying heads instead of waiting for training to find them.

        Block 0: two heads look at the previous token and leave a sketch of it. Block 1: heads look for a place whose
        previous token resembles the current token, and repeat what stands there. Training sharpens all of it.
        """
        config, wide = self.config, self.config.head_width
        sketch = nn.init.orthogonal_(torch.empty(wide, config.width))
        sketch[:, 0] = 0
        trace = nn.init.orthogonal_(torch.empty(config.width, wide))
        self.embedding.weight[:, 0] = 0.1  # A constant that the position heads can read.
        for head in range(2):
            self.plant_previous_token_head(head, sketch, trace)
        for head in range(3):
            self.plant_match_head(head, sketch, trace)

    def plant_previous_token_head(self, head, sketch, trace):
        attention, wide = self.blocks[0].attention, self.config.head_width
        rows = slice(head * wide, (head + 1) * wide)
        fast = torch.arange(6)  # The six fastest rotations tell neighbours apart.
        angle = self.config.rope_base ** (-2 * fast.float() / wide)
        first, second = head * wide + fast, head * wide + wide // 2 + fast
        attention.query.weight[first, 0] = 1.5
        attention.key.weight[first, 0] = 1.5 * angle.cos()
        attention.key.weight[second, 0] = 1.5 * angle.sin()
        attention.value.weight[rows] = sketch
        attention.output.weight[:, rows] = 0.025 * trace

    def plant_match_head(self, head, sketch, trace):
        attention, wide = self.blocks[1].attention, self.config.head_width
        rows = slice(head * wide, (head + 1) * wide)
        slow = torch.arange(wide // 2 - 5, wide // 2)  # The five slowest rotations hardly depend on the distance.
        places = torch.cat([slow, slow + wide // 2]) + head * wide
        part = slice(head * 10, head * 10 + 10)
        attention.query.weight[places] = 3 * sketch[part]
        attention.key.weight[places] = 3 * trace[:, part].T
        attention.value.weight[rows] = sketch
        attention.output.weight[:, rows] = 0.2 * sketch.T

    def hidden(self, ids):
        """Final hidden states; `logits` turns (some of) them into scores."""
        length = ids.size(1)
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length])
        return self.norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.embedding.weight)

    def parameter_count(self):
        return sum(parameter.numel() for parameter in self.parameters())
