/** What a type is: a JSON Schema for the decoder, and a reader of what it wrote. */

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A value is not of the type; the message says where and what was expected. */
export class Mismatch extends Error {
  override name = "Mismatch";

  constructor(at: string, expected: string, found: unknown) {
    super(`${at}: expected ${expected}, found ${quoted(found)}`);
  }
}

/** A type cannot be promised. */
export class SchemaError extends Error {
  override name = "SchemaError";

  constructor(what: string, hint: string) {
    super(`${what}\nhint: ${hint}`);
  }
}

/** How far a schema is written out. */
export interface Maker {
  /** How often a type may stand inside itself. */
  readonly depth: number;
  /** Counts one node; throws where there are too many. */
  count(): void;
  /** How often we are inside of each type that refers to itself. */
  readonly inside: Map<object, number>;
}

/** What a type is made of. */
export interface Parts<T> {
  /** Its schema; `undefined` where nothing can stand, since the type would contain itself too often. */
  node(maker: Maker): JsonSchema | undefined;
  /** The value, checked; throws a {@link Mismatch}. */
  read(value: unknown, at: string): T;
}

/** A type of values. */
export class Type<out T> {
  readonly #parts: Parts<T>;
  readonly description: string;

  constructor(parts: Parts<T>, description = "") {
    this.#parts = parts;
    this.description = description;
  }

  /** The same, with something for the model to read. */
  describe(description: string): Type<T> {
    return new Type(this.#parts, description);
  }

  /** Its part of a schema. */
  node(maker: Maker): JsonSchema | undefined {
    maker.count();
    const node = this.#parts.node(maker);
    if (node === undefined || this.description === "") return node;
    return { ...node, description: this.description };
  }

  /** The value, if it is of this type. Fields that an object does not have are left out. */
  read(value: unknown, at = "$"): T {
    return this.#parts.read(value, at);
  }
}

/** A field that may be missing. The model writes `null` for it: one that may leave out does. */
export class Optional<out T> {
  constructor(
    readonly of: Type<T>,
    readonly description = typed(of, "what may be missing").description,
  ) {}

  /** The same, with something for the model to read. */
  describe(description: string): Optional<T> {
    return new Optional(this.of, description);
  }
}

/** What a type is made of has to be one; the compiler says so, too, where it is asked. */
export function typed<T>(of: Type<T>, where: string): Type<T> {
  if ((of as unknown) instanceof Type) return of;
  if ((of as unknown) instanceof Optional) {
    throw new SchemaError(`${where} is optional`, "only a field of an object may be missing: use s.nullable");
  }
  throw new SchemaError(`${where} is no type`, "make it with s, like s.string()");
}

/** How many there may be, as whole numbers. */
export function count(what: string, min: number, max: number | undefined): void {
  const whole = (bound: number) => Number.isSafeInteger(bound) && bound >= 0;
  if (whole(min) && (max === undefined || (whole(max) && min <= max))) return;
  const to = max === undefined ? "" : ` to ${max}`;
  throw new SchemaError(`nothing has ${min}${to} ${what}`, "give whole numbers, 0 or more, and a min that is at most max");
}

/** The fields of an object. */
export type Fields = Readonly<Record<string, Type<unknown> | Optional<unknown>>>;

/** The type of a schema's values. */
export type Infer<S> = S extends Type<infer T> ? T : S extends Optional<infer T> ? T | undefined : never;

type OptionalNames<F> = { [K in keyof F]: F[K] extends Optional<unknown> ? K : never }[keyof F];

/** The object of these fields. */
export type ObjectOf<F> = Shown<
  { [K in Exclude<keyof F, OptionalNames<F>>]: Infer<F[K]> } & {
    [K in OptionalNames<F>]?: F[K] extends Optional<infer T> ? T : never;
  }
>;

/** As an editor shows it best: one object. */
type Shown<T> = { [K in keyof T]: T[K] } & {};

/** An object, closed: every field is asked for, and no other. */
export class ObjectType<F extends Fields> extends Type<ObjectOf<F>> {
  constructor(
    readonly fields: F,
    description = "",
  ) {
    for (const [name, field] of Object.entries(fields)) {
      if (!(field instanceof Optional)) typed(field, `the field ${name}`);
    }
    super({ node: (maker) => closed(fields, maker), read: (value, at) => object(fields, value, at) }, description);
  }

  override describe(description: string): ObjectType<F> {
    return new ObjectType(this.fields, description);
  }
}

function closed(fields: Fields, maker: Maker): JsonSchema | undefined {
  const nodes: [string, JsonSchema][] = [];
  for (const [name, field] of Object.entries(fields)) {
    const node = field instanceof Optional ? orNull(field, maker) : field.node(maker);
    if (node === undefined) return undefined;
    nodes.push([name, node]);
  }
  const required = nodes.map(([name]) => name);
  return { type: "object", properties: Object.fromEntries(nodes), required, additionalProperties: false };
}

function orNull({ of, description }: Optional<unknown>, maker: Maker): JsonSchema {
  const node = of.node(maker);
  const nothing = { type: "null" };
  const both = node === undefined ? nothing : { anyOf: [node, nothing] };
  return description === "" || description === of.description ? both : { ...both, description };
}

function object<F extends Fields>(fields: F, value: unknown, at: string): ObjectOf<F> {
  const given = record(value, at);
  const read: [string, unknown][] = [];
  for (const [name, field] of Object.entries(fields)) {
    const found = Object.hasOwn(given, name) ? given[name] : undefined;
    const below = `${at}.${name}`;
    if (!(field instanceof Optional)) read.push([name, field.read(found, below)]);
    else if (found !== undefined && found !== null) read.push([name, field.of.read(found, below)]);
  }
  return Object.fromEntries(read) as ObjectOf<F>;
}

/** The value, if it is an object with names. */
export function record(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Mismatch(at, "an object", value);
}

const QUOTED_CHARS_MAX = 60;

function quoted(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? typeof value);
  return text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text;
}
