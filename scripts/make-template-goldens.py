"""Makes Tests/Goldens/templates: what transformers makes of published chat templates.

`templates/*.jinja` are the templates, as their publishers wrote them; `conversations.json` is written here, and
`renderings.json` holds what `transformers.utils.chat_template_utils` renders of each with each, or what the
template raises. The clock stands still at 2024-07-26 13:05:09.

Needs transformers 5.24 with jinja2 3.1.6: `python scripts/make-template-goldens.py`. With a folder of other
templates behind it, `… FOLDER OUT.json`, the same is made of those.

"""

import datetime
import json
import logging
import pathlib
import sys

import transformers.utils.chat_template_utils as chat

place = pathlib.Path(__file__).parent.parent / "Tests" / "Goldens" / "templates"


class Still(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26, 13, 5, 9)


chat.datetime = Still
logging.disable(logging.WARNING)


def message(role, content, **more):
    return {"role": role, "content": content, **more}


weather = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather at a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "A town, e.g. \"Paris\""},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "default": 1, "minimum": 1},
                "near": {"type": "array", "items": {"type": "number"}},
            },
            "required": ["location"],
        },
    },
}
sounds = {
    "type": "function",
    "function": {
        "name": "play",
        "description": "Plays a sound & waits <until> it's over.",
        "parameters": {"type": "object", "properties": {}},
    },
}
call = {"type": "function", "id": "call00001",
        "function": {"name": "get_weather", "arguments": {"location": "Zürich", "days": 2, "deep": [1.5, None, True]}}}
parts = [{"type": "image", "image": "a.png"}, {"type": "text", "text": "What is in the picture?"}]

conversations = {
    "question": {"messages": [message("user", "What is the capital of France?")]},
    "question without a prompt": {"messages": [message("user", "Hi!")], "add_generation_prompt": False},
    "system": {"messages": [message("system", "You are terse."), message("user", "Why?")]},
    "turns": {"messages": [
        message("user", "Hello"), message("assistant", "Hello! How can I help?"),
        message("user", "  Tell me\na joke.  "), message("assistant", "<think>\nhm, hm\n</think>\n\nNo."),
        message("user", "Oh. 猫と <|im_end|> 'quotes' \"too\" 👩‍👩‍👧")]},
    "system and turns, answered": {"messages": [
        message("system", "Du bist ein Bär.\n"), message("user", "Wer bist du?"), message("assistant", "Ein Bär."),
    ], "add_generation_prompt": False},
    "a picture": {"messages": [message("user", parts)]},
    "pictures and turns": {"messages": [
        message("system", [{"type": "text", "text": "Look closely."}]),
        message("user", [{"type": "text", "text": "First:"}, {"type": "image"}, {"type": "text", "text": "second:"},
                         {"type": "image", "url": "http://a/b.png"}, {"type": "video"}]),
        message("assistant", [{"type": "text", "text": "Two boats."}]),
        message("user", [{"type": "text", "text": "And who is that?"}])]},
    "tools": {"messages": [message("user", "How is the weather in Zürich?")], "tools": [weather, sounds]},
    "tools used": {"messages": [
        message("system", "Use tools."), message("user", "How is the weather in Zürich?"),
        message("assistant", "", tool_calls=[call]),
        message("tool", "{\"degrees\": 21.5}", name="get_weather", tool_call_id="call00001"),
        message("assistant", "It is 21.5 degrees."), message("user", "Thanks")], "tools": [weather]},
    "tools, content absent": {"messages": [
        message("user", "Again?"), {"role": "assistant", "tool_calls": [call]},
        message("tool", "sunny", name="get_weather", tool_call_id="call00001")], "tools": [weather],
        "add_generation_prompt": True},
    "empty content": {"messages": [message("user", ""), message("assistant", ""), message("user", "?")]},
    "no messages": {"messages": []},
    "an odd role": {"messages": [message("user", "a"), message("narrator", "b"), message("user", "c")]},
    "roles that do not alternate": {"messages": [message("user", "a"), message("user", "b"), message("assistant", "c"),
                                                 message("assistant", "d")]},
    "an answer first": {"messages": [message("assistant", "I begin."), message("user", "Fine.")]},
    "two systems": {"messages": [message("system", "a"), message("user", "b"), message("system", "c"),
                                 message("user", "d")]},
    "documents and thinking": {"messages": [message("user", "Who wrote it?")], "documents": [
        {"title": "A book", "text": "Written by \"B\"."}, {"title": "Another", "text": "…"}],
        "enable_thinking": False, "thinking": True, "reasoning_effort": "high"},
    "reasoning": {"messages": [message("user", "2+2?"),
                               message("assistant", "4", reasoning_content="Two and two\nare four.", thinking="Two and two\nare four."),
                               message("user", "Sure?")], "enable_thinking": True},
}

tokens = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "image_token": "<image>"}


def variables(conversation):
    given = {"add_generation_prompt": True, "tools": None, "documents": None, **tokens, **conversation}
    return json.loads(json.dumps(given))


def rendered(template, given):
    """What transformers' own template renders, and where the answers stand; or what went wrong."""
    given = dict(given)
    messages = given.pop("messages", [])
    try:
        compiled = chat._compile_jinja_template(template)
        text, spans = chat._render_with_assistant_indices(
            compiled, messages, given.pop("tools", None), given.pop("documents", None),
            given.pop("add_generation_prompt", False), **given)
        text.encode("utf-8")
        return {"text": text, **({"generated": spans} if spans else {})}
    except Exception as error:  # what a template does is anybody's guess
        name = type(error).__name__
        return {"raised": str(error)} if name == "TemplateError" else {"error": f"{name}: {error}"}


def continued(template, given):
    """What transformers renders where the last message is to be continued; None where it refuses or fails."""
    given = {**given, "add_generation_prompt": False}
    messages = given.pop("messages", [])
    try:
        texts, _ = chat.render_jinja_template(
            [messages], tools=None, documents=given.pop("documents", None), chat_template=template,
            continue_final_message=True, **{k: v for k, v in given.items() if k != "tools"})
        return texts[0]
    except Exception:  # what a template does is anybody's guess
        return None


def make_continued(folder, out):
    names = ["system and turns, answered", "a picture", "turns", "reasoning", "empty content", "no messages"]
    made = {
        path.stem: {name: continued(path.read_text(), variables(conversations[name])) for name in names}
        for path in sorted(folder.glob("*.jinja"))}
    out.write_text(json.dumps(made, ensure_ascii=False, indent=0) + "\n")
    print(f"continued: {sum(text is not None for one in made.values() for text in one.values())} texts")


def make(folder, out):
    renderings = {}
    for path in sorted(folder.glob("*.jinja")):
        renderings[path.stem] = {
            name: rendered(path.read_text(), variables(conversation)) for name, conversation in conversations.items()}
    out.write_text(json.dumps(renderings, ensure_ascii=False, indent=0) + "\n")
    counts = [len([1 for one in renderings.values() for r in one.values() if key in r]) for key in ("text", "raised", "error")]
    print(f"{len(renderings)} templates, {len(conversations)} conversations: "
          f"{counts[0]} texts, {counts[1]} raised, {counts[2]} other errors")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        make(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    else:
        (place / "conversations.json").write_text(
            json.dumps({name: variables(one) for name, one in conversations.items()}, ensure_ascii=False, indent=0) + "\n")
        make(place, place / "renderings.json")
        make_continued(place, place / "continued.json")
