/** Typed AI functions and exact receipts: the client of AiGen. */

export { formatAmount, parseAmount } from "./amount.js";
export { AiError } from "./ai-error.js";
export { aiFn, type AiFn, type CallOptions, type Definition, type MapOptions } from "./ai-fn.js";
export { type Backend, type Detailed, type Guarantee } from "./call.js";
export { AiGen, receiptId, type AiGenOptions } from "./client.js";
export { AiGenError, ApiError, ConnectionError, SetupError, type ErrorFields, type ReplyFields } from "./errors.js";
export { type Message, type Prompt } from "./prompt.js";
export * from "./records.js";
export { s, SchemaError, type Infer, type JsonSchema } from "./schema/index.js";
export { Mismatch, Optional, Type } from "./schema/type.js";
export { cast, classify, extract, generate } from "./shortcuts.js";
export { type RequestOptions } from "./transport.js";
