"""Measures the GGUF file on the hand-written cases in eval/, with llama.cpp and greedy decoding.

    python evaluate.py --model aigen-tiny.gguf            # the table of the model card
    python evaluate.py --model aigen-tiny.gguf --show     # every wrong answer as well
"""
import argparse
import json
import re

import numpy as np
from llama_cpp import Llama

ANSWER_TOKENS_MAX = 120


class Engine:
    """A chat prompt in, the greedy completion out."""

    def __init__(self, path):
        self.llama = Llama(model_path=path, n_ctx=1024, verbose=False, n_threads=1)
        self.end = self.llama.token_eos()

    def tokens(self, text, special=False):
        return self.llama.tokenize(text.encode(), add_bos=False, special=special)

    def prompt(self, turns, system=""):
        """Token ids of a chat; `turns` alternate between user and assistant and end with the user."""
        ids = [self.llama.token_bos()]
        messages = [("system", system)] if system else []
        messages += [("user" if index % 2 == 0 else "assistant", text) for index, text in enumerate(turns)]
        for role, text in messages:
            ids += self.tokens(f"<|{role}|>", special=True) + self.tokens(text)
            if role == "assistant":
                ids.append(self.end)
        return ids + self.tokens("<|assistant|>", special=True)

    def logits(self, ids):
        """Scores after `ids`, all evaluated anew or, for one token, appended."""
        self.llama.eval(ids)
        return np.ctypeslib.as_array(self.llama._ctx.get_logits(), shape=(self.llama.n_vocab(),))

    def text(self, ids):
        return self.llama.detokenize(ids).decode(errors="ignore")

    def complete(self, turns, system="", prefix=""):
        self.llama.reset()
        scores = self.logits(self.prompt(turns, system) + self.tokens(prefix))
        produced = []
        while len(produced) < ANSWER_TOKENS_MAX:
            token = int(scores.argmax())
            if token in (self.end, self.llama.token_bos()):
                break
            produced.append(token)
            scores = self.logits([token])
        return self.text(produced)

    def quote(self, turns, source, prefix=""):
        """Like `complete`, but every token must keep the answer a span of `source` that starts and ends at words."""
        self.llama.reset()
        scores = self.logits(self.prompt(turns) + self.tokens(prefix))
        produced = []
        while len(produced) < ANSWER_TOKENS_MAX:
            token = self.best_quotation(scores, produced, source)
            if token == self.end:
                break
            produced.append(token)
            scores = self.logits([token])
        return self.text(produced).strip()

    def best_quotation(self, scores, produced, source):
        for token in np.argsort(-scores):
            if token == self.end and produced and spans(source, self.text(produced).strip()):
                return self.end
            if token != self.end and starts_span(source, self.text(produced + [int(token)]).lstrip()):
                return int(token)
        return self.end


def spans(source, text):
    """Whether `text` stands in `source`, from the start of a word to the end of a word."""
    return bool(text) and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", source) is not None


def starts_span(source, text):
    return bool(text.strip()) and re.search(rf"(?<!\w){re.escape(text)}", source) is not None


def normal(text):
    return re.sub(r"^(the|a|an|in|on|at) ", "", text.strip().rstrip(".").lower())


def matches(answer, accepted):
    return normal(answer) in {normal(text) for text in accepted}


def read(name):
    with open(f"eval/{name}.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Report:
    def __init__(self, show):
        self.show, self.rows = show, {}

    def add(self, measure, good, detail=""):
        right, total = self.rows.get(measure, (0, 0))
        self.rows[measure] = (right + bool(good), total + 1)
        if self.show and not good:
            print(f"[{measure}] {detail}")

    def print(self):
        print("| measure | right | cases | share |\n|---|---|---|---|")
        for measure, (right, total) in self.rows.items():
            print(f"| {measure} | {right} | {total} | {100 * right / total:.0f} % |")


def quiz(engine, report):
    for case in read("quiz"):
        turns = [f"Write a quiz item about {case['focus']}.\nLesson: {case['text']}"]
        reply = engine.complete(turns)
        item = re.fullmatch(r"Question: (.+\?)\nAnswer: (.+)", reply)
        report.add("quiz item: format", item, reply)
        answer = item.group(2) if item else ""
        report.add("quiz item: answer is a span of the lesson", spans(case["text"], answer), reply)
        report.add("quiz item: answer is the right span", matches(answer, case["answers"]), f"{case['focus']} -> {reply!r}")
        head = reply.split("\nAnswer:")[0] + "\nAnswer: "
        quoted = engine.quote(turns, case["text"], head)
        report.add("quiz item: right, quotation forced", matches(quoted, case["answers"]), f"{case['focus']} -> {quoted!r}")


def answers(engine, report):
    for case in read("answers"):
        turns = [f"Answer from the text.\nText: {case['text']}\nQuestion: {case['question']}"]
        reply = engine.complete(turns)
        report.add("answer: is a span of the text", spans(case["text"], reply), reply)
        report.add("answer: is the right span", matches(reply, case["answers"]), f"{case['question']} -> {reply!r}")
        quoted = engine.quote(turns, case["text"])
        report.add("answer: right, quotation forced", matches(quoted, case["answers"]), f"{case['question']} -> {quoted!r}")


def support(engine, report):
    for case in read("support"):
        body = f"Facts: {' '.join(case['facts'])}\nMessage: {case['message']}"
        reply = engine.complete([f"Reply to the customer.\n{body}"])
        quoted = [fact for fact in case["facts"] if fact in reply]
        report.add("support: quotes a fact word for word", quoted, reply)
        report.add("support: quotes the right fact", case["fact"] in quoted, reply)
        if case["order"]:
            report.add("support: keeps the order number", case["order"] in reply, reply)
        else:
            report.add("support: invents no order number", not re.search(r"\d{4,}", reply.replace(case["fact"], "")), reply)
        reply = engine.complete([f"Reply to the customer. Format: Reply, Fact.\n{body}"])
        named = re.search(r"\nFact: (.+)$", reply)
        report.add("support: 'Reply / Fact' format, right fact", named and named.group(1) == case["fact"], reply)


def labels(engine, report):
    forms = {"sentiment": "Classify the sentiment: {}", "intent": "What does the customer want? {}", "language": "Language: {}"}
    for name, form in forms.items():
        for case in read(name):
            reply = engine.complete([form.format(case["text"])])
            report.add(name, reply.strip() == case["label"], f"{case['text']} -> {reply!r}")


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def extraction(engine, report):
    for case in read("json"):
        reply = engine.complete([case["prompt"]])
        report.add("JSON: parses", parsed(reply) is not None, reply)
        report.add("JSON: all values right", parsed(reply) == case["json"], f"{case['prompt']} -> {reply}")


def conversation(engine, case):
    turns = []
    for text in case["turns"]:
        turns.append(text)
        turns.append(engine.complete(turns, case.get("system", "")))
    return turns[-1]


def talk(engine, report):
    for name in ("talk", "chat"):
        for case in read(name):
            reply = conversation(engine, case)
            good = matches(reply, case["exact"]) if "exact" in case else any(part in reply for part in case["any"])
            label = "small talk and honest refusals" if name == "talk" else "system prompts and several turns"
            report.add(label, good, f"{case['turns'][-1]} -> {reply!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="aigen-tiny.gguf")
    parser.add_argument("--show", action="store_true", help="print the wrong answers")
    arguments = parser.parse_args()
    engine, report = Engine(arguments.model), Report(arguments.show)
    for measure in (quiz, answers, support, labels, extraction, talk):
        measure(engine, report)
    report.print()


if __name__ == "__main__":
    main()
