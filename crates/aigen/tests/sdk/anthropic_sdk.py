"""Anthropic's Python library against AiGen: what an app does after changing base_url and key.

ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY are read by the library itself.
"""

import json

import anthropic

MODEL = "aigen-tiny"
client = anthropic.Anthropic(max_retries=0)
question = [{"role": "user", "content": "Hello!"}]
wanted = {"model": MODEL, "messages": question, "max_tokens": 20}
greedy = {"temperature": 0}

TOOL = {
    "name": "rate",
    "description": "Rates a film.",
    "input_schema": {
        "type": "object",
        "properties": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}},
        "required": ["stars"],
        "additionalProperties": False,
    },
}


def plain():
    answer = client.messages.create(**wanted, system="Be kind.", extra_body={"temperature": 0.5, "top_k": 5})
    assert answer.type == "message" and answer.role == "assistant" and answer.model == MODEL
    assert answer.content[0].text
    assert answer.stop_reason in ("end_turn", "max_tokens")
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0
    assert float(answer.aigen["cost"]) > 0


def streamed():
    answer = client.messages.create(**wanted, extra_body=greedy)
    with client.messages.stream(**wanted, extra_body=greedy) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == answer.content[0].text == final.content[0].text
    assert final.stop_reason == answer.stop_reason
    assert final.usage.output_tokens == answer.usage.output_tokens


def tools():
    wanted = {"model": MODEL, "messages": question, "max_tokens": 200, "tools": [TOOL]}
    for choice in ({"type": "any"}, {"type": "tool", "name": "rate"}):
        answer = client.messages.create(**wanted, tool_choice=choice)
        calls = rated(answer)
        with client.messages.stream(**wanted, tool_choice=choice) as stream:
            rated(stream.get_final_message())
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": "Noted."} for call in calls]
        told = [*question, {"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
        after = client.messages.create(model=MODEL, messages=told, max_tokens=20, tools=[TOOL])
        assert after.stop_reason
        one = client.messages.create(**wanted, tool_choice={**choice, "disable_parallel_tool_use": True})
        assert len(rated(one)) == 1, one


def rated(answer):
    """The calls of an answer: one or more, for a model may call a tool twice unless that is disabled."""
    assert answer.stop_reason == "tool_use", answer
    calls = [block for block in answer.content if block.type == "tool_use"]
    assert calls and all(call.name == "rate" and call.input["stars"] in range(1, 6) for call in calls), answer
    return calls


def functions():
    """A published function is a model, whole and streamed, with its input as text or as JSON."""
    for said in ("Lovely.", json.dumps({"text": "Lovely."})):
        asked = {"model": "fn:ada/mood", "max_tokens": 60, "messages": [{"role": "user", "content": said}]}
        answer = client.messages.create(**asked)
        value = json.loads(answer.content[0].text)
        assert value["mood"] in ("good", "bad") and value["stars"] in range(1, 6), value
        assert answer.aigen["guarantee"] == "decoder" and answer.stop_reason == "end_turn", answer
        with client.messages.stream(**asked) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        assert json.loads(text) == value and final.content[0].text == text
        assert final.usage.output_tokens == answer.usage.output_tokens
    missing = {**asked, "model": "fn:ada/none"}
    expect(anthropic.NotFoundError, lambda: client.messages.create(**missing), "not_found_error")
    long = {**asked, "messages": [{"role": "user", "content": "a" * 41}]}
    for stream in (False, True):
        refused = lambda: client.messages.create(**long, stream=stream)
        expect(anthropic.UnprocessableEntityError, refused, "invalid_request_error")


def counted():
    count = client.messages.count_tokens(model=MODEL, messages=question, tools=[TOOL])
    assert count.input_tokens > 0
    answer = client.messages.create(**wanted, tools=[TOOL])
    assert count.input_tokens == answer.usage.input_tokens + answer.usage.cache_read_input_tokens


def expect(error, call, kind):
    try:
        call()
    except error as refused:
        assert refused.body["error"]["type"] == kind, refused.body
        assert refused.body["error"]["hint"], refused.body
    else:
        raise AssertionError(f"{error.__name__} was expected")


def errors():
    def create(client=client, **changes):
        return client.messages.create(**{**wanted, **changes})

    wrong = anthropic.Anthropic(api_key="aigen_dev.wrong", max_retries=0)
    expect(anthropic.AuthenticationError, lambda: create(wrong), "authentication_error")
    expect(anthropic.NotFoundError, lambda: create(model="claude"), "not_found_error")
    expect(anthropic.BadRequestError, lambda: create(messages=[]), "invalid_request_error")
    expect(anthropic.BadRequestError, lambda: create(extra_body={"temperature": 2}), "invalid_request_error")


for test in [plain, streamed, tools, functions, counted, errors]:
    test()
    print("ok", test.__name__, flush=True)
print("all passed")
