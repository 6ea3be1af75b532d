"""Checks that llama.cpp reads the exported file as we mean it: same tokens as the tokenizer, same scores as the network.

    python check_export.py --checkpoint build/checkpoint.pt --model aigen-tiny.gguf
"""
import argparse
import random

import numpy as np
import torch
from tokenizers import Tokenizer

import corpus
from evaluate import Engine
from tasks.quiz import LessonWords
from train import load

TEXTS = [
    "Hello world", "  two  spaces\n\n\tand tabs ", "It's we'll I'M don't", "1234567890 3.14 2,318 QX-7741", "naïve café Łukasz Þórr ñandú ¿qué?", "日本語 テスト 한국어 العربية",
    "😀👍🏽 emoji", "{\"name\": \"Ann\", \"order\": \"17\"}", "a\r\nb\u00a0c\u200bd", "!!!???...;;--", "Question: Who?\nAnswer: Dr Ilka Szomoru", "x" * 200, "ＡＢＣ １２３ ½ ² Ⅳ", "",
]


def check_tokens(engine, tokenizer):
    words = LessonWords(random.Random(5))
    texts = TEXTS + [corpus.as_text(corpus.draw(words)) for _ in range(2000)]
    wrong = [text for text in texts if engine.tokens(text) != tokenizer.encode(text, add_special_tokens=False).ids]
    for text in wrong[:5]:
        print("tokens differ:", repr(text), engine.tokens(text), tokenizer.encode(text).ids)
    print(f"tokens: {len(texts) - len(wrong)} of {len(texts)} texts equal")
    return not wrong


def check_scores(engine, model, tokenizer):
    """Largest difference of log-probabilities, and how often the best token is the same, on fresh examples."""
    words, worst, same, count = LessonWords(random.Random(6)), 0.0, 0, 20
    for _ in range(count):
        text = "".join(piece for piece, _ in corpus.segments(corpus.draw(words), words))
        ids = tokenizer.encode(text, add_special_tokens=False).ids[:1000]
        engine.llama.reset()
        theirs = torch.tensor(np.array(engine.logits(ids))).log_softmax(-1)
        with torch.no_grad():
            ours = model.logits(model.hidden(torch.tensor([ids]))[0, -1]).log_softmax(-1)
        top = ours.topk(20).indices
        worst = max(worst, (ours - theirs)[top].abs().max().item())
        same += int(ours.argmax() == theirs.argmax())
    print(f"scores: best token equal in {same} of {count}, largest difference of log-probability {worst:.3f}")
    return same >= count - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="build/checkpoint.pt")
    parser.add_argument("--model", default="aigen-tiny.gguf")
    arguments = parser.parse_args()
    engine, tokenizer = Engine(arguments.model), Tokenizer.from_file("tokenizer.json")
    model, _ = load(arguments.checkpoint)
    if not (check_tokens(engine, tokenizer) and check_scores(engine, model, tokenizer)):
        raise SystemExit("the exported file differs")


if __name__ == "__main__":
    main()
