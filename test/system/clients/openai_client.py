"""OpenAI's library for Python against a running router: base address, key and model in, a line for each thing that works out."""

import sys

import openai

base, key, model = sys.argv[1:]
client = openai.OpenAI(base_url=base, api_key=key, max_retries=0)
stranger = openai.OpenAI(base_url=base, api_key="slp_000000000000_nobody", max_retries=0)
prompt = "export function add(a: number, b: number) {\n  return "
asked = {"model": model, "prompt": prompt, "suffix": "\n}\n", "max_tokens": 12}


def done(what: str) -> None:
    print(f"ok {what}", flush=True)


whole = client.completions.create(**asked)
text = whole.choices[0].text
assert text.strip() != "", "the text is empty"
assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0
done("whole")

pieces = list(client.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
assert "".join(piece.choices[0].text for piece in pieces if piece.choices) == text
assert pieces[-1].usage is not None and pieces[-1].choices == []
done("stream")

chat = client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}], max_tokens=12)
parts = client.chat.completions.create(
    model=model, messages=[{"role": "user", "content": prompt}], max_tokens=12, stream=True
)
assert "".join(part.choices[0].delta.content or "" for part in parts) == chat.choices[0].message.content != ""
done("chat")

assert [each.id for each in client.models.list()] == [model]
done("models")

try:
    client.completions.create(**{**asked, "temperature": 9})
    raise SystemExit("a wrong field was taken")
except openai.BadRequestError as error:
    assert (error.param, error.code) == ("temperature", "invalid_request"), error
done("wrong field")

try:
    client.completions.create(**{**asked, "model": "gpt-9"})
    raise SystemExit("an unknown model was taken")
except openai.NotFoundError as error:
    assert error.param == "model", error
done("unknown model")

try:
    stranger.completions.create(**asked)
    raise SystemExit("an unknown key was taken")
except openai.AuthenticationError as error:
    assert error.status_code == 401, error
done("unknown key")

long = {**asked, "prompt": prompt + "    ", "max_tokens": 250, "temperature": 1}
with client.completions.create(**long, stream=True) as stream:
    next(iter(stream))
done("cancel")
