// The little of Node.js that this app uses, so that it compiles with TypeScript alone. With
// @types/node installed, leave this file out.
declare module "node:fs" {
  export function readFileSync(path: string | URL, encoding: "utf8"): string;
}
declare module "node:util" {
  export function parseArgs(config: {
    options: Record<string, { type: "string" | "boolean" }>;
    allowPositionals: true;
  }): { values: Record<string, string | boolean | undefined>; positionals: string[] };
}
declare const process: { exit(code: number): never; readonly env: Readonly<Record<string, string | undefined>> };
