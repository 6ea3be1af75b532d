// Beside OpenAI's own client, unmodified.

import assert from "node:assert/strict";
import { AiGen, parseAmount, receiptId } from "aigen";
import OpenAI from "openai";

const client = new AiGen();
const openai = new OpenAI({ baseURL: `${client.baseUrl}/v1`, apiKey: process.env.AIGEN_KEY });
const asked = { model: await client.model(), messages: [{ role: "user", content: "Hello!" }], max_tokens: 10, temperature: 0 };

const completion = await openai.chat.completions.create(asked);
const receipt = await client.receipt(completion);
assert.equal(receipt.id, receiptId(completion));
assert.equal(receipt.total_nano, parseAmount(completion.aigen.cost));

const ids = [];
for await (const chunk of await openai.chat.completions.create({ ...asked, stream: true })) ids.push(receiptId(chunk));
const [last] = ids.filter((id) => id !== undefined);
assert.equal((await client.receipt(last)).finish, receipt.finish);
await assert.rejects(client.receipt({ id: "chatcmpl-1" }), /names no receipt/);
