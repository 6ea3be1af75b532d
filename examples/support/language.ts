/** Which language a message is in: by its smallest words, which every sentence has some of. */

export const LANGUAGES = ["de", "en", "es", "fr", "it"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Words of one language, most of them of no other of these, each once. Accents are left out, as in {@link words}. */
const SMALL: Record<Language, string> = {
  de: "in ins alle der die das den dem ein eine einen ich sie wir ist sind war hat haben habe mein meine nicht und oder zu zum mit fur auf von bei wie was wann wo wem mir noch auch kann konnen bitte es im ihr ihnen euch",
  en: "in the a an i you we is are was were has have had my your not and or to with for on of at how what when where whom me it this that do does can could would please still they them",
  es: "a la el los las un una y o yo de que esta estan tiene tengo mi mis no con para por en como cuando donde se su me lo al del todavia puedo puede ya ustedes hace quien envian",
  fr: "a la le les un une des et ou je vous nous est sont ete j n d l ai mon ma mes pas avec pour sur de du en que qui quand comment au aux il elle encore dans quel cette cet voudrais veux",
  it: "all d tutti i nel nella sul sulla sua suo a il lo gli un una e o di che non ho ha hanno mio mia miei con per da in come quando dove sono la le mi ci si del della dell al alle anche ancora posso questo voi vorrei puo",
};

const OF = new Map<string, Language[]>();
for (const language of LANGUAGES) {
  for (const word of SMALL[language].split(" ")) OF.set(word, [...(OF.get(word) ?? []), language]);
}

/** Points that a language leads by before it is believed: one word that no other has is enough. */
const LEAD_MIN = 0.75;

/** A text's words, in small letters and without accents. */
export function words(text: string): string[] {
  const bare = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return bare.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The language, or undefined where two are as likely, or none is. A word of several languages counts for each in part. */
export function languageOf(text: string): Language | undefined {
  const points = new Map<Language, number>();
  for (const word of words(text)) {
    const of = OF.get(word) ?? [];
    for (const language of of) points.set(language, (points.get(language) ?? 0) + 1 / of.length);
  }
  const [first, second] = [...points].sort((one, other) => other[1] - one[1]);
  if (first === undefined || first[1] - (second?.[1] ?? 0) < LEAD_MIN) return undefined;
  return first[0];
}
