/** Cases that a person has labelled, and what became of them. */

import { readFileSync } from "node:fs";
import type { Agent, Outcome } from "./agent.js";
import { LANGUAGES } from "./language.js";

/** A message; `topic` is null where a person should answer. */
interface Case {
  readonly message: string;
  readonly language: string | null;
  readonly topic: string | null;
}

interface Score {
  readonly what: string;
  readonly right: number;
  readonly of: number;
  /** Of whoever does the same with every message. */
  readonly baseline: number;
}

export async function measure(agent: Agent, path: string | URL): Promise<{ scores: readonly Score[] }> {
  const cases = readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Case);
  const tried: { of: Case; outcome: Outcome }[] = [];
  for (const of of cases) tried.push({ of, outcome: await agent.answer(of.message) });
  const spoken = tried.filter(({ of }) => of.language !== null);
  const known = tried.filter(({ of }) => of.topic !== null);
  const unknown = tried.filter(({ of }) => of.topic === null);
  const replied = tried.filter(({ outcome }) => outcome.kind === "reply");
  const right = replied.filter(isRight).length;
  return {
    scores: [
      score("language", count(spoken, ({ of, outcome }) => of.language === outcome.language), spoken.length, spoken.length / LANGUAGES.length),
      score("answered, and rightly, of what the company has an answer to", right, known.length, known.length / 10),
      score("right, of what was answered", right, replied.length, replied.length / 10),
      score("left to a person, of what it has none to", count(unknown, ({ outcome }) => outcome.kind === "person"), unknown.length, unknown.length),
      score("reply is in the company's words and the customer's language", count(replied, isQuoted), replied.length, 0),
    ],
  };
}

type Tried = { readonly of: Case; readonly outcome: Outcome };

function isRight({ of, outcome }: Tried): boolean {
  return outcome.kind === "reply" && outcome.row.topic === of.topic && outcome.language === of.language;
}

function isQuoted({ of, outcome }: Tried): boolean {
  return outcome.kind === "reply" && outcome.text.endsWith(outcome.row.answer) && outcome.row.language === of.language;
}

function count(tried: readonly Tried[], which: (one: Tried) => boolean): number {
  return tried.filter(which).length;
}

function score(what: string, right: number, of: number, baseline: number): Score {
  return { what, right, of, baseline: Math.floor(baseline) };
}
