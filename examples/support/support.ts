/**
 * Answers customers in their language from the company's own answers, or hands them to a person.
 *
 *     node examples/support/run.mjs "Wo ist mein Paket?"
 *
 * AIGEN_URL and AIGEN_KEY name the node; README.md says the rest.
 */

import { AiGen } from "aigen";
import { parseArgs } from "node:util";
import { Agent, type Outcome } from "./agent.js";
import { FaqDataset, FaqFile, type Faq } from "./faq.js";
import { measure } from "./golden.js";

/** Reads the command line, or says what is wrong with it. */
function said(): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): never {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

const OPTIONS = {
  golden: { type: "boolean" },
  data: { type: "string" },
  dataset: { type: "string" },
  controller: { type: "string" },
  "bill-to": { type: "string" },
} as const;
const { values, positionals } = said();

/** The folder of faq.jsonl and golden.jsonl. */
const data = new URL(`file://${text(values["data"]) ?? new URL(".", import.meta.url).pathname}/`);

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The company's answers: a dataset's rows, which are paid for, or those in this folder. */
function faq(client: AiGen, billTo: string | undefined): Faq {
  const dataset = text(values["dataset"]);
  if (dataset === undefined) return new FaqFile(new URL("faq.jsonl", data));
  const key = process.env["AIGEN_KEY"] ?? "";
  return new FaqDataset({ url: client.baseUrl, key, dataset, ...(billTo === undefined ? {} : { billTo }) });
}

function agent(): Agent {
  const client = new AiGen();
  const [controller, billTo] = [text(values["controller"]), text(values["bill-to"])];
  return new Agent({
    client,
    faq: faq(client, billTo),
    ...(controller === undefined ? {} : { controller }),
    ...(billTo === undefined ? {} : { billTo }),
  });
}

function told(message: string, outcome: Outcome): string {
  const head = `  ${message}\n    [${outcome.language ?? "?"}, ${outcome.desk}] `;
  return head + (outcome.kind === "reply" ? outcome.text : `-> a person: ${outcome.why}`);
}

try {
  if (values["golden"] === true) {
    console.log(JSON.stringify(await measure(agent(), new URL("golden.jsonl", data))));
  } else if (positionals.length === 0) {
    throw new Error('there is no message\nhint: node examples/support/run.mjs "Wo ist mein Paket?"');
  } else {
    const support = agent();
    for (const message of positionals) console.log(told(message, await support.answer(message)));
  }
} catch (error) {
  failed(error);
}
