"""Builds tokenizer.json: byte-level BPE with 4,096 entries, digits split singly (llama.cpp calls this pre-tokenizer "smollm")."""
import random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import corpus
from tasks.quiz import LessonWords

SPECIAL = ["<|endoftext|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>", "<|pad|>"]
VOCABULARY = 4096
EXAMPLES = 40000


def main():
    words = LessonWords(random.Random(99))
    texts = [corpus.as_text(corpus.draw(words)) for _ in range(EXAMPLES)]
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save("tokenizer.json")


if __name__ == "__main__":
    main()
