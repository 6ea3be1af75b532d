"""Trains the network on the shards that corpus.py wrote.

    python train.py --data build/data --out build/checkpoint.pt --steps 2900 --processes 2

Constant learning rate, then a linear decay over the last steps. A second call with --resume goes on from a checkpoint
(weights, optimiser state, step); to finish early, resume with fewer --steps. On a CPU each process computes with one thread and the
gradients are averaged once a step: on a busy machine that wastes far less time than threads that wait after every operation.
"""
import argparse
import dataclasses
import glob
import math
import time

import numpy as np
import torch
import torch.distributed
import torch.multiprocessing
import torch.nn.functional as F

from muon import Muon
from net import Config, TinyLlama

PAD = 5
PORT = 29517  # Local rendezvous of the training processes.
WEIGHT_UNIT = 100  # Shards store loss weights as whole hundredths.
LENGTH_STEP = 16  # Batches are padded to a multiple of this many tokens.


class Shards:
    """Examples of every shard in a folder, served as batches of examples of similar length."""

    def __init__(self, folder, batch_tokens, context, seed):
        self.batch_tokens, self.context = batch_tokens, context
        self.random = np.random.default_rng(seed)
        self.examples = []
        for path in sorted(glob.glob(f"{folder}/*.npz")):
            self.examples += self.read(path)
        self.passes = 0

    def read(self, path):
        shard = np.load(path)
        ids, weights, starts = shard["ids"], shard["weights"], shard["starts"]
        pairs = zip(starts[:-1], starts[1:])
        return [(ids[a:b], weights[a:b]) for a, b in pairs if 3 < b - a <= self.context]

    def batches(self):
        """Endless. Each window of 4,000 examples is sorted by length and cut into batches, in random order."""
        while True:
            order = self.random.permutation(len(self.examples))
            for window in np.array_split(order, max(1, len(order) // 4000)):
                yield from self.window_batches(window)
            self.passes += 1

    def window_batches(self, window):
        by_length = sorted(window, key=lambda index: len(self.examples[index][0]))
        groups, group, longest = [], [], 0
        for index in by_length:
            longest = max(longest, len(self.examples[index][0]))
            if group and longest * (len(group) + 1) > self.batch_tokens:
                groups.append(group)
                group, longest = [], len(self.examples[index][0])
            group.append(index)
        groups.append(group)
        for group in self.random.permutation(len(groups)):
            yield self.collate([self.examples[index] for index in groups[group]])

    def collate(self, examples):
        longest = max(len(ids) for ids, _ in examples)
        length = min(self.context, math.ceil(longest / LENGTH_STEP) * LENGTH_STEP)
        ids = np.full((len(examples), length), PAD, dtype=np.int64)
        weights = np.zeros((len(examples), length), dtype=np.float32)
        for row, (example_ids, example_weights) in enumerate(examples):
            ids[row, : len(example_ids)] = example_ids
            weights[row, : len(example_ids)] = example_weights
        return torch.from_numpy(ids), torch.from_numpy(weights) / WEIGHT_UNIT


def weighted_loss(model, ids, weights):
    """Mean next-token loss. Scores are computed only where the weight is not zero: the head is a third of the work."""
    hidden = model.hidden(ids[:, :-1])
    targets, weights = ids[:, 1:], weights[:, 1:]
    counted = weights > 0
    logits = model.logits(hidden[counted]).float()
    losses = F.cross_entropy(logits, targets[counted], reduction="none")
    return (losses * weights[counted]).sum() / weights.sum().clamp(min=1)


def make_optimisers(model, rate):
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and "embedding" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() != 2 or "embedding" in name]
    return [
        Muon(matrices, lr=rate),
        torch.optim.AdamW(others, lr=rate * 0.4, betas=(0.9, 0.95), weight_decay=0.0, foreach=True),
    ]


def rate_factor(step, steps, decay_steps):
    """Warm up over 40 steps, hold, then fall linearly to 2 % over the last `decay_steps`."""
    warm = min(1.0, (step + 1) / 40)
    return warm * min(1.0, max(0.02, (steps - step) / decay_steps))


def save(path, model, optimisers, step, tokens):
    torch.save(
        dict(
            config=dataclasses.asdict(model.config),
            weights=model.state_dict(),
            optimisers=[optimiser.state_dict() for optimiser in optimisers],
            step=step,
            tokens=tokens,
        ),
        path,
    )


def load(path, device="cpu"):
    """Model of a checkpoint, and the checkpoint."""
    checkpoint = torch.load(path, map_location=device, weights_only=True)
    model = TinyLlama(Config(**checkpoint["config"])).to(device)
    model.load_state_dict(checkpoint["weights"])
    return model, checkpoint


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="build/data")
    parser.add_argument("--out", default="build/checkpoint.pt")
    parser.add_argument("--resume", default="")
    parser.add_argument("--steps", type=int, default=2900)
    parser.add_argument("--decay-steps", type=int, default=700)
    parser.add_argument("--batch-tokens", type=int, default=4096, help="per step, all processes together")
    parser.add_argument("--rate", type=float, default=0.012)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--width", type=int, default=Config.width)
    parser.add_argument("--layers", type=int, default=Config.layers)
    parser.add_argument("--hidden", type=int, default=Config.hidden)
    parser.add_argument("--heads", type=int, default=Config.heads)
    parser.add_argument("--kv-heads", type=int, default=Config.kv_heads)
    return parser.parse_args()


def start(arguments, device):
    """A fresh model or the resumed one, with its optimisers and counters."""
    torch.manual_seed(arguments.seed)
    if arguments.resume:
        model, checkpoint = load(arguments.resume, device)
    else:
        shape = dict(width=arguments.width, layers=arguments.layers, hidden=arguments.hidden)
        model = TinyLlama(Config(heads=arguments.heads, kv_heads=arguments.kv_heads, **shape))
        model.plant_copying()
        model.to(device)
        checkpoint = dict(step=0, tokens=0, optimisers=[])
    optimisers = make_optimisers(model, arguments.rate)
    for optimiser, state in zip(optimisers, checkpoint["optimisers"]):
        optimiser.load_state_dict(state)
    return model, optimisers, checkpoint["step"], checkpoint["tokens"]


def join_group(rank, processes):
    torch.set_num_threads(1)
    store = torch.distributed.TCPStore("127.0.0.1", PORT, processes, rank == 0)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=processes)


def average(model, numbers):
    """Averages the gradients, and `numbers`, over all processes; without a group it changes nothing."""
    if not torch.distributed.is_initialized():
        return numbers
    parameters = list(model.parameters())
    flat = torch.cat([parameter.grad.flatten() for parameter in parameters] + [torch.tensor(numbers)])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    pieces = flat[: -len(numbers)].split([parameter.numel() for parameter in parameters])
    for parameter, piece in zip(parameters, pieces):
        parameter.grad.copy_(piece.view_as(parameter))
    return flat[-len(numbers) :].tolist()


def train(rank, arguments):
    processes = arguments.processes
    if processes > 1:
        join_group(rank, processes)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, optimisers, step, tokens = start(arguments, device)
    seed = arguments.seed + 1000 * rank + step
    shards = Shards(arguments.data, arguments.batch_tokens // processes, model.config.context, seed)
    if rank == 0:
        print(f"{model.parameter_count()} parameters, {len(shards.examples)} examples, {device}", flush=True)
    rates = [arguments.rate, arguments.rate * 0.4]
    began, saved, smooth = time.time(), time.time(), None
    batches = shards.batches()
    while step < arguments.steps:
        ids, weights = next(batches)
        loss = weighted_loss(model, ids.to(device), weights.to(device))
        loss.backward()
        loss_mean, batch = average(model, [loss.item(), float((ids != PAD).sum())])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        factor = rate_factor(step, arguments.steps, arguments.decay_steps)
        for optimiser, rate in zip(optimisers, rates):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        step, tokens = step + 1, tokens + round(batch * processes)
        smooth = loss_mean if smooth is None else 0.9 * smooth + 0.1 * loss_mean
        if rank == 0 and step % 20 == 0:
            seconds = time.time() - began
            print(f"step {step} loss {smooth:.3f} tokens {tokens} seconds {seconds:.0f} cpu {time.process_time():.0f}", flush=True)
        if rank == 0 and time.time() - saved > 120:
            save(arguments.out, model, optimisers, step, tokens)
            saved = time.time()
    if rank == 0:
        save(arguments.out, model, optimisers, step, tokens)


def main():
    arguments = parse_arguments()
    if arguments.processes == 1:
        train(0, arguments)
    else:
        torch.multiprocessing.spawn(train, args=(arguments,), nprocs=arguments.processes)


if __name__ == "__main__":
    main()
