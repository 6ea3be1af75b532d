"""The same cases for everybody: what a scripted model says, answer by answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTEXT, TEXT = "How is the new phone?", "Great, it broke again."
GOOD = '{"polarity": "negative", "sarcasm": true, "evidence": "it broke again"}'
OTHER = '{"polarity": "purple", "sarcasm": true, "evidence": "it broke again"}'
INVENTED = GOOD.replace("it broke again", "it exploded")
CUT = GOOD[:30]

CASES = {
    "right at once": [GOOD],
    "prose around the JSON": [f"Here you are:\n```json\n{GOOD}\n```", GOOD],
    "another label, then right": [OTHER, GOOD],
    "evidence invented, then right": [INVENTED, GOOD],
    "never of the type": [OTHER] * 9,
    "cut off": [CUT] * 9,
}


class Scripted:
    """An OpenAI-compatible server whose model says these answers, the last one again and again."""

    def __init__(self, answers):
        self.answers, self.asked = answers, 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                reply, kind = json.dumps(owner.reply(body)).encode(), "application/json"
                if body.get("stream"):
                    reply, kind = streamed(json.loads(reply)), "text/event-stream"
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def reply(self, body):
        # A node finds out at its start whether probabilities are told, and asks for no answer by that.
        is_probe = bool(body.get("logprobs"))
        text = "" if is_probe else self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += not is_probe
        message, finish = {"role": "assistant", "content": text}, "stop"
        # A model that is offered a tool calls it with the same JSON; prose is no call.
        if body.get("tools") and text.startswith("{"):
            tool = body["tools"][0]["function"]
            # Marvin asks for the value as the one field of a larger thing.
            wrapped = list(tool["parameters"]["properties"]) == ["result"]
            arguments = f'{{"result": {text}' + ("" if text == CUT else "}") if wrapped else text
            call = {"id": f"call_{self.asked}", "type": "function", "function": {"name": tool["name"], "arguments": arguments}}
            message, finish = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
        if text == CUT:
            finish = "length"
        return {
            "id": "1", "object": "chat.completion", "created": 0, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20},
        }


def streamed(reply):
    """The same reply in one event, and its end in another."""
    choice = reply["choices"][0]
    calls = choice["message"].get("tool_calls")
    for at, call in enumerate(calls or []):
        call["index"] = at
    chunk = {**reply, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": choice["message"], "finish_reason": None}]}
    end = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    return "".join(f"data: {json.dumps(event)}\n\n" for event in (chunk, end)).encode() + b"data: [DONE]\n\n"


def play(make):
    """Runs every case; `make(url)` gives the function that is compared. One row for each."""
    for name, answers in CASES.items():
        model = Scripted(answers)
        try:
            value = make(model.url)(CONTEXT, TEXT)
            said = f"value {getattr(value.polarity, 'value', value.polarity)}"
        except Exception as error:  # What each library raises is what is compared.
            said = type(error).__name__
        print(f"{name:30}  {said:32}  asked {model.asked}", flush=True)
        model.server.shutdown()
