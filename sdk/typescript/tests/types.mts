// What the compiler takes and refuses; nothing here is run.

import { aiFn, AiGen, AiError, cast, classify, extract, generate, s, type Charged, type Detailed, type Infer, type ReadReceipt, type Receipt, type Share, type Type } from "aigen";

/** The same type, not only one that fits. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const client = new AiGen({ baseUrl: "http://127.0.0.1:8000", key: "key" });
const sentiment = s.object({
  polarity: s.enum(["good", "bad"]),
  score: s.number({ min: -1, max: 1 }),
  evidence: s.array(s.string()),
  note: s.optional(s.string()),
});

same<Infer<typeof sentiment>, { polarity: "good" | "bad"; score: number; evidence: string[]; note?: string }>(true);
same<Infer<ReturnType<typeof s.integer>>, number>(true);
const union = s.union([s.literal("a"), s.object({ b: s.boolean() }), s.tuple([s.integer(), s.string()])]);
same<Infer<typeof union>, "a" | { b: boolean } | [number, string]>(true);
const maybe = s.nullable(s.enum([1, 2, true]));
same<Infer<typeof maybe>, 1 | 2 | true | null>(true);
const named = s.record(s.array(s.nullable(s.integer())));
same<Infer<typeof named>, Record<string, (number | null)[]>>(true);
const described = sentiment.describe("what it says").fields.polarity.describe("which way");
same<Infer<typeof described>, "good" | "bad">(true);

interface Tree {
  name: string;
  children: Tree[];
}
const tree: Type<Tree> = s.object({ name: s.string(), children: s.array(s.lazy(() => tree)) });

// @ts-expect-error a tree's name is no number
const wrong: Type<Tree> = s.object({ name: s.integer(), children: s.array(s.lazy(() => wrong)) });
// @ts-expect-error what may be missing is a field, not an item
s.array(s.optional(s.string()));
// @ts-expect-error enums are of values that JSON has
s.enum([Symbol("no")]);
// @ts-expect-error texts have lengths, numbers have bounds
s.boolean({ min: 1 });
// @ts-expect-error a format has no pattern
s.string({ format: "uuid", pattern: "a" });
// @ts-expect-error no such format
s.string({ format: "phone" });
// @ts-expect-error a union of nothing
s.union([]);

const judge = aiFn(client, {
  instruction: "Judge the sentiment.",
  input: s.object({ text: s.string(), context: s.optional(s.string()) }),
  output: sentiment,
  maxTokens: 200,
  check: ({ evidence }, { text }) => evidence.every((quote) => text.includes(quote)) || "not quoted",
});

export async function uses(): Promise<void> {
  const value = await judge({ text: "good" });
  same<typeof value, Infer<typeof sentiment>>(true);
  const detailed = await judge.detailed({ text: "good", context: "none" }, { seed: 7, budget: "0.5" });
  same<typeof detailed, Detailed<typeof value>>(true);
  same<typeof detailed.cost, bigint>(true);
  const results = await judge.map([{ text: "a" }], { concurrency: 2 });
  same<typeof results, PromiseSettledResult<typeof value>[]>(true);
  const label = await classify(client, ["yes", "no"], "sure");
  same<typeof label, "yes" | "no">(true);
  same<Awaited<ReturnType<typeof extract<number>>>, number>(true);
  const trees = await generate(client, tree, 3);
  same<typeof trees, Tree[]>(true);
  const many = await cast(client, named, new Map());
  same<typeof many, Record<string, (number | null)[]>>(true);
  const receipt = await client.receipt("0");
  same<typeof receipt, Receipt | ReadReceipt>(true);
  same<typeof receipt.total_nano, bigint>(true);
  const charged: Charged = receipt;
  same<typeof charged.split, readonly Share[]>(true);
  if (receipt.kind === "dataset_read") same<typeof receipt, ReadReceipt>(true);
  else same<typeof receipt.model, string>(true);

  // @ts-expect-error the text is missing
  await judge({ context: "none" });
  // @ts-expect-error no such argument
  await judge({ text: "good", tone: "glad" });
  // @ts-expect-error not a label
  if (value.polarity === "ugly") return;
  // @ts-expect-error it may be missing
  value.note.length;
  // @ts-expect-error amounts are no floats
  const half: number = receipt.total_nano / 2;
  // @ts-expect-error a budget is text or exact
  await judge({ text: "good" }, { budget: 0.5 });
  // @ts-expect-error no such column
  await client.usage({ by: ["colour"] });
  // @ts-expect-error a check says why
  aiFn(client, { instruction: "", input: s.string(), output: s.string(), check: () => 7 });
  return half as never;
}

export function reads(error: unknown): string {
  if (error instanceof AiError.Truncated) return error.raw;
  if (error instanceof AiError.Check) return error.why;
  if (error instanceof AiError.Budget) return error.reason;
  // @ts-expect-error an error of unknown kind has no reason
  if (error instanceof AiError) return error.reason;
  return "";
}
