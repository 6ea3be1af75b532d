"""OpenAI's Python library against AiGen: what an app does after changing base_url and key.

OPENAI_BASE_URL and OPENAI_API_KEY are read by the library itself.
"""

import json
import os

import openai

MODEL = "aigen-tiny"
client = openai.OpenAI(max_retries=0)
question = [{"role": "user", "content": "Hello!"}]


def plain():
    answer = client.chat.completions.create(model=MODEL, messages=question)
    assert answer.object == "chat.completion"
    assert answer.model == MODEL
    [choice] = answer.choices
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.finish_reason in ("stop", "length")
    usage = answer.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    # The library keeps fields that it does not know.
    assert float(answer.aigen["cost"]) > 0


def streamed():
    stream = client.chat.completions.create(
        model=MODEL, messages=question, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    parts = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(part.delta.content or "" for part in parts)
    finished = [part.finish_reason for part in parts if part.finish_reason]
    assert len(finished) == 1 and finished[0] in ("stop", "length")
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def streamed_and_plain_agree():
    wanted = {"model": MODEL, "messages": question, "temperature": 0, "max_tokens": 20}
    answer = client.chat.completions.create(**wanted).choices[0].message.content
    stream = client.chat.completions.create(**wanted, stream=True)
    parts = (choice.delta.content for chunk in stream for choice in chunk.choices)
    assert "".join(part or "" for part in parts) == answer


SCHEMA = {
    "type": "object",
    "properties": {
        "mood": {"enum": ["good", "bad"]},
        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
    },
    "required": ["mood", "stars"],
    "additionalProperties": False,
}


def json_schema():
    for _ in range(5):
        answer = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "How was the film?"}],
            temperature=1.5,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "review", "schema": SCHEMA, "strict": True},
            },
        )
        review = json.loads(answer.choices[0].message.content)
        assert set(review) == {"mood", "stars"}, review
        assert review["mood"] in ("good", "bad"), review
        assert review["stars"] in range(1, 6), review


RATE = {
    "type": "object",
    "properties": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["stars"],
    "additionalProperties": False,
}


def tools():
    tool = {"type": "function", "function": {"name": "rate", "parameters": RATE, "strict": True}}
    wanted = {"model": MODEL, "messages": question, "tools": [tool], "max_tokens": 200}
    for choice in ("required", {"type": "function", "function": {"name": "rate"}}):
        answer = client.chat.completions.create(**wanted, tool_choice=choice)
        assert answer.choices[0].finish_reason == "tool_calls"
        [call] = answer.choices[0].message.tool_calls[:1]
        assert json.loads(call.function.arguments)["stars"] in range(1, 6)
        with client.chat.completions.stream(**wanted, tool_choice=choice) as stream:
            final = stream.get_final_completion()
        [call] = final.choices[0].message.tool_calls[:1]
        assert json.loads(call.function.arguments)["stars"] in range(1, 6)
    told = [
        *question,
        answer.choices[0].message,
        *(
            {"role": "tool", "tool_call_id": call.id, "content": "Noted."}
            for call in answer.choices[0].message.tool_calls
        ),
    ]
    assert client.chat.completions.create(model=MODEL, messages=told, max_tokens=20).choices


def responses():
    wanted = {"model": MODEL, "input": "Hello!", "temperature": 0, "max_output_tokens": 20}
    answer = client.responses.create(**wanted, instructions="Be kind.", metadata={"a": "b"})
    assert answer.output_text and answer.status in ("completed", "incomplete")
    assert answer.metadata == {"a": "b"} and answer.store is False
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    plain = client.responses.create(**wanted)
    with client.responses.stream(**wanted) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert final.output_text == plain.output_text
    assert [event.sequence_number for event in events] == list(range(len(events)))
    tool = {"type": "function", "name": "rate", "parameters": RATE, "strict": True}
    called = client.responses.create(model=MODEL, input="Hello!", tools=[tool], tool_choice="required")
    calls = [item for item in called.output if item.type == "function_call"]
    assert json.loads(calls[0].arguments)["stars"] in range(1, 6)
    outputs = [
        {"type": "function_call_output", "call_id": call.call_id, "output": "Noted."} for call in calls
    ]
    asked = [{"role": "user", "content": "Hello!"}, *called.output, *outputs]
    assert client.responses.create(model=MODEL, input=asked, max_output_tokens=20).output
    text = {"format": {"type": "json_schema", "name": "rate", "schema": RATE, "strict": True}}
    rated = client.responses.create(model=MODEL, input="Hello!", text=text)
    assert json.loads(rated.output_text)["stars"] in range(1, 6)
    previous = {"previous_response_id": answer.id}
    expect(openai.BadRequestError, 400, lambda: client.responses.create(**wanted, **previous))


def controller():
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Is 7 prime?"}],
        extra_body={"aigen": {"controller": "choice", "params": {"options": ["yes", "no"]}}},
    )
    assert answer.choices[0].message.content in ("yes", "no")


def completion():
    answer = client.completions.create(model=MODEL, prompt="Once upon a time", max_tokens=8)
    assert answer.object == "text_completion"
    assert answer.usage.completion_tokens <= 8


def models():
    names = [model.id for model in client.models.list()]
    assert MODEL in names
    assert client.models.retrieve(MODEL).owned_by == "aigen"


def idempotent():
    def ask():
        return client.chat.completions.create(
            model=MODEL, messages=question, extra_headers={"Idempotency-Key": "the same"}
        )

    assert ask().aigen["receipt"] == ask().aigen["receipt"]


def expect(error, status, call, code=None):
    try:
        call()
    except error as refused:
        assert refused.status_code == status, refused
        assert code is None or refused.code == code, refused.code
        assert refused.body["hint"], refused.body
    else:
        raise AssertionError(f"{error.__name__} was expected")


def errors():
    def create(client=client, **changes):
        return client.chat.completions.create(**{"model": MODEL, "messages": question, **changes})

    wrong = openai.OpenAI(api_key="aigen_dev.wrong", max_retries=0)
    expect(openai.AuthenticationError, 401, lambda: create(wrong))
    poor = openai.OpenAI(api_key=os.environ["POOR_KEY"], max_retries=0)
    expect(openai.APIStatusError, 402, lambda: create(poor), "insufficient_funds")
    expect(openai.NotFoundError, 404, lambda: create(model="gpt-7"), "model_not_found")
    expect(openai.BadRequestError, 400, lambda: create(temperature=9))
    expect(openai.BadRequestError, 400, lambda: create(messages=[]))
    long = [{"role": "user", "content": "word " * 5000}]
    expect(openai.BadRequestError, 400, lambda: create(messages=long), "context_length_exceeded")
    nonsense = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "nonsense"}}}
    expect(openai.APIStatusError, 422, lambda: create(response_format=nonsense))


def mood(text, aigen):
    """A function's value, of which no token could leave the type."""
    value = json.loads(text)
    assert value["mood"] in ("good", "bad") and value["stars"] in range(1, 6), text
    assert aigen["guarantee"] == "decoder" and aigen["controller"] == "ada/mood@1.0.0", aigen
    return value


def functions():
    """A published function is a model, whole and streamed, with its input as text or as JSON."""
    for said in ("Lovely.", json.dumps({"text": "Lovely."})):
        wanted = {"model": "fn:ada/mood", "messages": [{"role": "user", "content": said}]}
        answer = client.chat.completions.create(**wanted)
        value = mood(answer.choices[0].message.content, answer.aigen)
        chunks = list(client.chat.completions.create(**wanted, stream=True))
        text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        assert mood(text, chunks[-1].aigen) == value
        answer = client.responses.create(model="fn:ada/mood@1", input=said)
        assert mood(answer.output_text, answer.aigen) == value
        with client.responses.stream(model="fn:ada/mood@1", input=said) as stream:
            text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
            final = stream.get_final_response()
        assert text == final.output_text and mood(text, final.aigen) == value
    assert any(model.id == "fn:ada/mood@1.0.0" for model in client.models.list())
    long = [{"role": "user", "content": "a" * 41}]
    for stream in (False, True):
        expect(
            openai.APIStatusError,
            422,
            lambda: client.chat.completions.create(model="fn:ada/mood", messages=long, stream=stream),
            "invalid_input",
        )
        expect(
            openai.NotFoundError,
            404,
            lambda: client.responses.create(model="fn:ada/none", input="a", stream=stream),
            "function_not_found",
        )


for test in [
    plain,
    streamed,
    streamed_and_plain_agree,
    json_schema,
    tools,
    responses,
    controller,
    functions,
    completion,
    models,
    idempotent,
    errors,
]:
    test()
    print("ok", test.__name__, flush=True)
print("all passed")
