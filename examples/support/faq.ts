/** Where the company's answers come from. */

import { readFileSync } from "node:fs";
import { words, type Language } from "./language.js";

/** One answer of the company. */
export interface Row {
  readonly language: Language;
  readonly topic: string;
  readonly question: string;
  readonly answer: string;
}

/** A row, and how well it fits: comparable within one search only. */
export interface Hit {
  readonly row: Row;
  readonly score: number;
}

/** What the app needs to know of a source of answers. */
export interface Faq {
  /** The rows of this language that fit best, best first. */
  find(message: string, language: Language, limit: number): Promise<readonly Hit[]>;
}

/** Where a dataset is, and who pays for reading it. */
export interface Reading {
  readonly url: string;
  readonly key: string;
  /** Owner and name, with a version or without. */
  readonly dataset: string;
  readonly billTo?: string;
}

/** Hits that are paid for by each search. Rows of other languages are among them and left out. */
const HITS_MAX = 5;

/** Answers in a dataset of somebody's, searched and paid for by the node; only words that say something are asked for. */
export class FaqDataset implements Faq {
  readonly #reading: Reading;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  async find(message: string, language: Language, limit: number): Promise<readonly Hit[]> {
    const asked = words(message).filter((word) => word.length >= WORD_MIN).join(" ");
    if (asked === "") return [];
    const { data } = await this.#rows(new URLSearchParams({ q: asked, limit: String(HITS_MAX) }));
    const hits = data.map(({ values, score }) => ({ row: values, score }));
    return hits.filter(({ row }) => row.language === language).slice(0, limit);
  }

  async #rows(query: URLSearchParams): Promise<{ readonly data: readonly { readonly values: Row; readonly score: number }[] }> {
    const { url, key, dataset, billTo } = this.#reading;
    const headers = { authorization: `Bearer ${key}`, ...(billTo === undefined ? {} : { "x-aigen-bill-to": billTo }) };
    const reply = await fetch(`${url}/v1/aigen/datasets/${dataset}/rows?${query}`, { headers });
    if (!reply.ok) throw new Error(`${dataset} was not read: ${await reply.text()}`);
    return reply.json();
  }
}

/** Letters of a word that are compared: what follows is mostly its ending. */
const STEM = 5;
/** Words shorter than this say little of what a message is about. */
const WORD_MIN = 4;

/** Answers in a file, searched by the words that they share with a message; rare words count more. */
export class FaqFile implements Faq {
  readonly #rows: readonly { row: Row; stems: ReadonlySet<string> }[];

  constructor(path: string | URL) {
    const lines = readFileSync(path, "utf8").trim().split("\n");
    const rows = lines.map((line) => JSON.parse(line) as Row);
    this.#rows = rows.map((row) => ({ row, stems: stems(`${row.question} ${row.answer}`) }));
  }

  find(message: string, language: Language, limit: number): Promise<readonly Hit[]> {
    const rows = this.#rows.filter(({ row }) => row.language === language);
    const asked = [...stems(message)];
    const weight = (stem: string) => Math.log((rows.length + 1) / (1 + rows.filter((row) => row.stems.has(stem)).length));
    const score = (of: ReadonlySet<string>) => asked.filter((stem) => of.has(stem)).reduce((sum, stem) => sum + weight(stem), 0);
    const hits = rows.map(({ row, stems }) => ({ row, score: score(stems) })).filter((hit) => hit.score > 0);
    return Promise.resolve(hits.sort((one, other) => other.score - one.score).slice(0, limit));
  }
}

function stems(text: string): ReadonlySet<string> {
  return new Set(words(text).filter((word) => word.length >= WORD_MIN).map((word) => word.slice(0, STEM)));
}
