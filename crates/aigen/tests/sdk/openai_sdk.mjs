// OpenAI's library for Node.js against AiGen: what an app does after changing base URL and key.
// OPENAI_BASE_URL and OPENAI_API_KEY are read by the library itself.

import assert from 'node:assert/strict';
import OpenAI from 'openai';

const model = 'aigen-tiny';
const client = new OpenAI({ maxRetries: 0 });
const messages = [{ role: 'user', content: 'Hello!' }];
const parameters = {
  type: 'object',
  properties: { stars: { type: 'integer', minimum: 1, maximum: 5 } },
  required: ['stars'],
  additionalProperties: false,
};

async function plain() {
  const answer = await client.chat.completions.create({ model, messages });
  assert.equal(answer.object, 'chat.completion');
  assert.ok(answer.choices[0].message.content);
  assert.ok(Number(answer.aigen.cost) > 0);
}

async function streamed() {
  const wanted = { model, messages, temperature: 0, max_tokens: 20 };
  const answer = await client.chat.completions.create(wanted);
  const stream = client.chat.completions.stream({ ...wanted, stream_options: { include_usage: true } });
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].message.content, answer.choices[0].message.content);
  assert.equal(final.usage.completion_tokens, answer.usage.completion_tokens);
}

async function tools() {
  const tool = { type: 'function', function: { name: 'rate', parameters, strict: true } };
  const wanted = { model, messages, tools: [tool], tool_choice: 'required', max_tokens: 200 };
  const answer = await client.chat.completions.create(wanted);
  assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  const final = await client.chat.completions.stream(wanted).finalChatCompletion();
  for (const { message } of [answer.choices[0], final.choices[0]]) {
    const { stars } = JSON.parse(message.tool_calls[0].function.arguments);
    assert.ok(stars >= 1 && stars <= 5);
  }
}

async function responses() {
  const answer = await client.responses.create({ model, input: 'Hello!', temperature: 0, max_output_tokens: 20 });
  assert.ok(answer.output_text);
  const stream = client.responses.stream({ model, input: 'Hello!', temperature: 0, max_output_tokens: 20 });
  const final = await stream.finalResponse();
  assert.equal(final.output_text, answer.output_text);
}

// A published function is a model, whole and streamed.
async function functions() {
  const wanted = { model: 'fn:ada/mood', messages: [{ role: 'user', content: 'Lovely.' }] };
  const answer = await client.chat.completions.create(wanted);
  const value = JSON.parse(answer.choices[0].message.content);
  assert.ok(['good', 'bad'].includes(value.mood) && value.stars >= 1 && value.stars <= 5);
  assert.equal(answer.aigen.guarantee, 'decoder');
  const final = await client.chat.completions.stream(wanted).finalChatCompletion();
  assert.deepEqual(JSON.parse(final.choices[0].message.content), value);
  const response = await client.responses.stream({ model: 'fn:ada/mood', input: 'Lovely.' }).finalResponse();
  assert.deepEqual(JSON.parse(response.output_text), value);
}

async function errors() {
  const refused = (call, status) => assert.rejects(call, (error) => error.status === status && Boolean(error.error.hint));
  const wrong = new OpenAI({ apiKey: 'aigen_dev.wrong', maxRetries: 0 });
  await refused(wrong.models.list(), 401);
  await refused(client.chat.completions.create({ model: 'gpt-7', messages }), 404);
  await refused(client.chat.completions.create({ model, messages: [] }), 400);
}

for (const test of [plain, streamed, tools, responses, functions, errors]) {
  await test();
  console.log('ok', test.name);
}
console.log('all passed');
