"""Generates the training corpus: every sentence comes from the tables in tasks/, none from an outside text.

    python corpus.py sample                                  # print a few examples of every task
    python corpus.py write --out build/data --examples 160000 # encoded shards for train.py
"""
import argparse
import multiprocessing
import os
import random

import numpy as np
from tokenizers import Tokenizer

from tasks import extract, labels, quiz, smalltalk, support

TASKS = {  # Share of the examples.
    quiz.quiz_item: 24,
    quiz.text_answer: 17,
    quiz.quote_sentence: 3,
    quiz.copying: 7,
    support.support_reply: 12,
    support.company_question: 4,
    support.free_support: 1,
    labels.sentiment: 9,
    labels.intent: 4,
    labels.language: 2,
    extract.order_json: 4,
    extract.other_json: 2,
    extract.sentiment_json: 2.5,
    extract.quiz_json: 1,
    extract.field: 1,
    smalltalk.talk: 2,
    smalltalk.unknown: 1,
    smalltalk.chat: 1.5,
    smalltalk.with_system: 2,
}
STORY_SHARE = 0.025
SHARD_EXAMPLES = 5000
FULL, PROMPT = 100, 20  # Loss weights in hundredths.
PROMPT_SHARE = 0.12  # In this share of the examples the prompt counts too, a little.


def draw(words):
    """One example: a list of (prompt, answer) turns, or a plain text."""
    if words.chance(STORY_SHARE):
        return smalltalk.story(words)
    task = words.random.choices(list(TASKS), list(TASKS.values()))[0]
    return task(words)


def segments(example, words):
    """Pieces of text with their loss weight; markers are written as text and encoded as special tokens."""
    if isinstance(example, str):
        return [("<|endoftext|>", 0), (example, FULL), ("<|endoftext|>", FULL)]
    prompt_weight = PROMPT if words.chance(PROMPT_SHARE) else 0
    result = [("<|endoftext|>", 0)]
    for prompt, answer in example:
        if prompt == "system":
            result.append((f"<|system|>{answer}", 0))
        else:
            result += [(f"<|user|>{prompt}", prompt_weight), ("<|assistant|>", 0), (f"{answer}<|end|>", FULL)]
    return result


def as_text(example):
    return example if isinstance(example, str) else "\n".join(f"{prompt}\n{answer}" for prompt, answer in example)


def write_shard(job):
    path, tokenizer_path, seed, count = job
    tokenizer = Tokenizer.from_file(tokenizer_path)
    words = quiz.LessonWords(random.Random(seed))
    pieces, owners = [], []
    for index in range(count):
        for piece in segments(draw(words), words):
            pieces.append(piece)
            owners.append(index)
    encoded = tokenizer.encode_batch([text for text, _ in pieces], add_special_tokens=False)
    ids, weights, starts = [], [], [0]
    for position, (encoding, (_, weight)) in enumerate(zip(encoded, pieces)):
        ids += encoding.ids
        weights += [weight] * len(encoding.ids)
        if position + 1 == len(pieces) or owners[position + 1] != owners[position]:
            starts.append(len(ids))
    np.savez(path, ids=np.array(ids, np.uint16), weights=np.array(weights, np.uint8), starts=np.array(starts, np.int64))
    return len(ids), int(np.count_nonzero(np.array(weights) == FULL))


def write(arguments):
    os.makedirs(arguments.out, exist_ok=True)
    shards = range(arguments.first, arguments.first + -(-arguments.examples // SHARD_EXAMPLES))
    jobs = [(f"{arguments.out}/shard-{shard:04}.npz", arguments.tokenizer, arguments.seed * 10000 + shard, SHARD_EXAMPLES) for shard in shards]
    with multiprocessing.Pool(arguments.processes) as pool:
        counts = pool.map(write_shard, jobs, chunksize=1)
    print(f"{sum(total for total, _ in counts)} tokens, {sum(full for _, full in counts)} of them answers")


def sample(arguments):
    words = quiz.LessonWords(random.Random(arguments.seed))
    for task in TASKS:
        print(f"== {task.__name__}")
        for _ in range(3):
            print(as_text(task(words)), end="\n\n")
    print(smalltalk.story(words))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["sample", "write"])
    parser.add_argument("--out", default="build/data")
    parser.add_argument("--tokenizer", default="tokenizer.json")
    parser.add_argument("--examples", type=int, default=160000)
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    {"sample": sample, "write": write}[arguments.action](arguments)


if __name__ == "__main__":
    main()
