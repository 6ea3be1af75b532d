/** A message in, a reply or a person's desk out. */

import { AiError, aiFn, s, type AiFn, type AiGen, type Infer } from "aigen";
import type { Faq, Hit, Row } from "./faq.js";
import { languageOf, type Language } from "./language.js";

/** What a customer wants whom none of the company's answers helps. */
const OTHER = "other";

/** What customers want, and whose desk that is. */
export const DESKS: Readonly<Record<string, string>> = {
  delivery: "shipping", abroad: "shipping", return: "returns", damage: "returns", warranty: "returns",
  refund: "accounts", payment: "accounts", invoice: "accounts", cancel: "orders", hours: "shop",
  [OTHER]: "front",
};

const OPENINGS: Readonly<Record<Language, readonly string[]>> = {
  de: ["Danke für Ihre Nachricht.", "Gern helfen wir Ihnen."],
  en: ["Thank you for your message.", "We are happy to help."],
  es: ["Gracias por su mensaje.", "Le ayudamos con mucho gusto."],
  fr: ["Merci pour votre message.", "Nous vous aidons volontiers."],
  it: ["Grazie per il suo messaggio.", "La aiutiamo volentieri."],
};

/** What becomes of a message. */
export type Outcome =
  | { readonly kind: "reply"; readonly language: Language; readonly desk: string; readonly row: Row; readonly text: string }
  | { readonly kind: "person"; readonly language: Language | undefined; readonly desk: string; readonly why: string };

/** Who is asked, what steers it, and who pays. */
export interface Settings {
  readonly client: AiGen;
  readonly faq: Faq;
  readonly controller?: string;
  readonly billTo?: string;
}

/** Rows that the model may quote from. */
const ROWS_MAX = 3;
/** A row whose score is below this share of the best one's is not shown to the model. */
const NEAR = 0.6;

const Input = s.string();
const Output = s.object({
  intent: s.enum(Object.keys(DESKS) as [string, ...string[]]),
  opening: s.string({ min: 1, max: 80 }),
  fact: s.string({ min: 1, max: 200 }),
});

export class Agent {
  readonly #settings: Settings;
  readonly #reply: AiFn<Infer<typeof Input>, Infer<typeof Output>>;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#reply = aiFn(settings.client, {
      name: "reply",
      instruction: "Say what the customer wants (`other` where no fact answers them), greet in their language, and quote the fact that answers them.",
      input: Input,
      output: Output,
      maxTokens: 160,
      temperature: 0,
      retries: 0,
    });
  }

  /** Whatever is not sure goes to a person, who is told why. */
  async answer(message: string): Promise<Outcome> {
    const language = languageOf(message);
    if (language === undefined) return person(undefined, "front", "the language is not clear");
    const hits = near(await this.#settings.faq.find(message, language, ROWS_MAX));
    const [best] = hits;
    if (best === undefined) return person(language, "front", "no answer of the company comes near");
    const said = await this.#ask(message, language, hits);
    if (said === undefined) return person(language, deskOf(best.row.topic), "the model gave no answer of the form");
    if (said.intent === OTHER) return person(language, deskOf(OTHER), "the model says that it is about something else");
    const quoted = hits.filter(({ row }) => row.answer.includes(said.fact));
    if (quoted.length !== 1) return person(language, deskOf(said.intent), "what is quoted is not one answer's");
    if (quoted[0] !== best) return person(language, deskOf(said.intent), "search and model disagree");
    return { kind: "reply", language, desk: deskOf(best.row.topic), row: best.row, text: `${said.opening} ${best.row.answer}` };
  }

  /** Undefined where the model's answer is none of the form. */
  async #ask(message: string, language: Language, hits: readonly Hit[]): Promise<Infer<typeof Output> | undefined> {
    const answers = hits.map(({ row }) => row.answer);
    const params = { intents: Object.keys(DESKS), openings: OPENINGS[language], answers: answers.join("\n") };
    const { controller, billTo } = this.#settings;
    const options = {
      ...(controller === undefined ? {} : { controller, params }),
      ...(billTo === undefined ? {} : { billTo }),
    };
    try {
      return await this.#reply(`Reply to the customer.\nFacts: ${answers.join(" ")}\nMessage: ${message}`, options);
    } catch (error) {
      if (error instanceof AiError.Check || error instanceof AiError.Truncated) return undefined;
      throw error;
    }
  }
}

function near(hits: readonly Hit[]): readonly Hit[] {
  const best = hits[0]?.score ?? 0;
  return hits.filter(({ score }) => score >= NEAR * best);
}

function deskOf(topic: string): string {
  return DESKS[topic] ?? "front";
}

function person(language: Language | undefined, desk: string, why: string): Outcome {
  return { kind: "person", language, desk, why };
}
