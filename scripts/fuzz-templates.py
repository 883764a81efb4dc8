"""Makes random templates, and published ones with something changed, with what jinja2 renders of them:
`python scripts/fuzz-templates.py SEED COUNT CASES.jsonl`, a case a line.

`FOVEA_TEMPLATE_CASES=CASES.jsonl swift test --skip-build --disable-xctest --filter TemplateFuzzTests` compares.
"""

import importlib.util
import json
import pathlib
import random
import resource
import signal
import sys

here = pathlib.Path(__file__).parent
spec = importlib.util.spec_from_file_location("goldens", here / "make-template-goldens.py")
goldens = importlib.util.module_from_spec(spec)
spec.loader.exec_module(goldens)

names = ["messages", "message", "m", "tools", "bos_token", "eos_token", "x", "y", "ns", "loop", "missing", "d", "items", "n",
         "f", "text", "loop", "messages[0]", "loop.index0", "messages[-1].content"]
texts = ["", "a", "user", "Hello World", " b c ", "\\n", "é", "ß", "İ", "ǆ", "Σας ΑΣ", "it's", "\\\"", "a,b,,c", "{}", "%s-%d", "  ",
         "猫と", "<|im_end|>", "role", "content", "abc def-ghi (jkl)", "12", "-3.5", "0x1f", "1_000", "tab\\there", "\\u00e9\\x41",
         "l1\\nl2\\r\\nl3", "\\u2028", "e\\u0301", "👩\\u200d👧", "None", "a.b", "type"]
methods = ["upper()", "lower()", "strip()", "lstrip('ab ')", "rstrip()", "split()", "split(',')", "split(' ', 1)", "rsplit(' ', 1)",
           "splitlines()", "title()", "capitalize()", "swapcase()", "startswith('a')", "endswith(('b', 'c'))", "replace('a', 'bb')",
           "replace('', '-')", "find('b')", "rfind('b')", "count('a')", "index('a')", "join(['x', 'y'])", "isdigit()", "isalpha()",
           "isspace()", "isupper()", "islower()", "isalnum()", "zfill(5)", "center(9, '*')", "ljust(6)", "rjust(6, '.')",
           "removeprefix('a')", "removesuffix('b')", "partition(' ')", "rpartition(',')", "format(1, x='y')", "expandtabs(4)",
           "items()", "keys()", "values()", "get('role')", "get('a', 7)", "copy()", "append(1)", "update(x=1)", "isnumeric()",
           "isdecimal()", "isascii()", "isprintable()", "is_integer()", "cycle('a', 'b')", "changed(x)", "__class__", "_x", "encode()"]
filters = ["upper", "lower", "trim", "trim('ab')", "length", "count", "list", "first", "last", "join", "join(', ')",
           "join('-', attribute='role')", "tojson", "tojson(indent=2)", "tojson(ensure_ascii=true)", "tojson(indent=4, sort_keys=true)",
           "tojson(separators=(',', ':'))", "default('z')", "default('z', true)", "d", "string", "int", "int(7)", "float", "abs", "round",
           "round(1)", "round(2, 'floor')", "replace('a', 'b')", "replace('a', 'b', 1)", "reverse", "reverse|list", "sort",
           "sort(reverse=true)", "sort(attribute='role')", "unique|list", "map('upper')|list", "map(attribute='role')|list",
           "map(attribute='content', default='?')|list", "select|list", "select('string')|list", "reject('none')|list",
           "selectattr('role', 'equalto', 'user')|list", "rejectattr('content')|list", "selectattr('role')|list|length", "sum", "min", "max",
           "title", "capitalize", "indent", "indent(2, true)", "indent(first=true, blank=true)", "wordcount", "truncate(5)",
           "truncate(7, true, '..', 0)", "center(12)", "items|list", "dictsort", "dictsort(by='value')", "batch(2)|list",
           "batch(3, 'q')|list", "groupby('role')", "format(1, 'b')", "attr('role')", "safe", "nosuch", "map", "select('nosuch')|list",
           "map('default', 'w')|join", "sum(start=1)", "list|last", "min(attribute='role')", "max(case_sensitive=true)"]
tests = ["defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float", "boolean", "true", "false",
         "odd", "even", "divisibleby(2)", "divisibleby 3", "in ['a', 1]", "eq 1", "equalto('user')", "ne(2)", "gt 1", "lt(3)", "ge 2", "le 2",
         "callable", "lower", "upper", "sameas none", "sameas true", "filter", "test", "nosuch", "== 'a'", "!= 1"]
binaries = ["+", "-", "*", "/", "//", "%", "~", "**", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, values):
        return self.random.choice(values)

    def chance(self, share):
        return self.random.random() < share

    def text(self):
        quote = self.pick("'\"")
        return quote + self.pick(texts).replace("'", "\\'" if quote == "'" else "'") + quote

    def number(self):
        return self.pick(["0", "1", "2", "3", "-1", "7", "10", "100", "1.5", "0.1", "2.0", "1e3", "1e16", "1e-5", "0x1F", "1_000", "3.14159",
                          "0b101", "12345678901", "1e22", "0.5", "2.5"])

    def atom(self, depth):
        kind = self.random.random()
        if kind < 0.35:
            return self.pick(names)
        if kind < 0.6:
            return self.text()
        if kind < 0.75:
            return self.number()
        if kind < 0.8:
            return self.pick(["true", "false", "none", "True", "None"])
        if depth <= 0:
            return self.pick(names)
        inner = [self.expression(depth - 1) for _ in range(self.random.randrange(4))]
        if kind < 0.87:
            return "[" + ", ".join(inner) + self.pick(["", "", ","] if inner else [""]) + "]"
        if kind < 0.9:
            return "(" + ", ".join(inner) + ("," if len(inner) == 1 else "") + ")"
        if kind < 0.97:
            return "{" + ", ".join(f"{self.text()}: {value}" for value in inner) + "}"
        return self.pick([f"range({self.random.randrange(5)})", "range(1, 9, 3)", "range(5, 0, -2)", "dict(a=1, b='c')",
                          "dict([('k', 2)])", "strftime_now('%d %b %Y')", "strftime_now('%A %H:%M %-d/%m/%y')", "cycler('a', 'b').next()",
                          "namespace(q=1)", "f(1, b=2)", "raise_exception('no ' ~ x)", "range(3)[1]", "joiner()()"])

    def expression(self, depth=2):
        value = self.atom(depth)
        if depth <= 0:
            return value
        for _ in range(self.pick([0, 0, 1, 1, 2])):
            kind = self.random.random()
            if kind < 0.15:
                value += "." + self.pick(["role", "content", "index", "first", "last", "x", "keys", "items", "0", "length", "nextitem", "text", "a"])
            elif kind < 0.3:
                value += "[" + self.pick([self.text(), self.number(), "0", "-1", "1:", ":-1", "::-1", "::2", "1:3", "-3:", ":", "'role'", self.expression(0)]) + "]"
            elif kind < 0.5:
                value += "." + self.pick(methods)
            elif kind < 0.75:
                value += self.pick(["|", " | "]) + self.pick(filters)
            elif kind < 0.9:
                value = f"({value} is {self.pick(['', '', 'not '])}{self.pick(tests)})"
            else:
                value = f"({value})"
        if self.chance(0.35):
            value = f"{value} {self.pick(binaries)} {self.expression(depth - 1)}"
        if self.chance(0.1):
            value = self.pick(["not ", "-", "+"]) + value
        if self.chance(0.1):
            value = f"{value} if {self.expression(depth - 1)}" + (f" else {self.expression(depth - 1)}" if self.chance(0.7) else "")
        return value

    def tag(self, inner):
        left, right = self.pick(["{%", "{%", "{%-", "{%+"]), self.pick(["%}", "%}", "-%}", "+%}"])
        return f"{left} {inner} {right}"

    def data(self):
        return self.pick(["a", " ", "\n", "  \n  ", "\n\n", "text ", "<b>", "é", "\t", "{ {", "}", "%}"[0], "x\n  ", ""])

    def statement(self, depth):
        kind = self.random.random()
        body = lambda: self.body(depth - 1)
        if depth <= 0 or kind < 0.4:
            left, right = self.pick(["{{", "{{", "{{-"]), self.pick(["}}", "}}", "-}}"])
            return f"{left} {self.expression()} {right}"
        if kind < 0.55:
            parts = self.tag("if " + self.expression()) + body()
            if self.chance(0.3):
                parts += self.tag("elif " + self.expression()) + body()
            if self.chance(0.4):
                parts += self.tag("else") + body()
            return parts + self.tag("endif")
        if kind < 0.72:
            target, over = self.pick([("m", "messages"), ("x", self.expression(1)), ("k, v", "d.items()"), ("i", "range(3)"), ("x", "[1, 2, 3]"),
                                      ("m", "messages[1:]"), ("x", "'abc'"), ("k", "d"), ("m", "messages|selectattr('role', 'eq', 'user')")])
            inner = body()
            if self.chance(0.3):
                inner += "{{ loop." + self.pick(["index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem",
                                                 "depth", "cycle('p', 'q')", "changed(1)"]) + " }}"
            if self.chance(0.15):
                inner += self.tag("if " + self.pick(["loop.index == 2", "x", "m.role == 'user'"])) + self.tag(self.pick(["break", "continue"])) + self.tag("endif") + body()
            parts = self.tag(f"for {target} in {over}" + (f" if {self.expression(1)}" if self.chance(0.2) else "")) + inner
            if self.chance(0.2):
                parts += self.tag("else") + body()
            return parts + self.tag("endfor")
        if kind < 0.82:
            return self.tag(self.pick([f"set x = {self.expression()}", f"set y = {self.expression()}", f"set ns.q = {self.expression()}",
                                       f"set a, b = {self.expression(1)}, {self.expression(1)}", f"set ns = namespace(q={self.expression(1)})",
                                       f"set x = x ~ {self.expression(1)}", "set ns.n = ns.n + 1"]))
        if kind < 0.86:
            return self.tag(self.pick(["set x", "set x | upper", "filter upper", "filter trim | title", "with q = 1", "with x = y, y = 2", "generation"])) + body() + "{%END%}"
        if kind < 0.92:
            return self.tag(self.pick(["macro f(a, b=1)", "macro f(a)", "macro g(x, y=x)", "macro f()"])) + body() + \
                self.pick(["", "{{ a }}", "{{ b }}", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}", "{{ caller }}"]) + self.tag("endmacro")
        if kind < 0.95:
            return self.tag(self.pick(["call f(1)", "call(q) f(2)", "call f('z', b=3)"])) + body() + self.tag("endcall")
        return self.pick(["{# c #}", "{#- c\n -#}", "{% raw %}{{ x }}{% endraw %}", "{%- raw -%} {% x %} {%- endraw -%}", "{# c #}\n"])

    def body(self, depth):
        made = "".join(self.data() + self.statement(depth) for _ in range(self.pick([1, 1, 2, 3]))) + self.data()
        # A block that ends what began it.
        while "{%END%}" in made:
            head, tail = made.split("{%END%}", 1)
            begun = max((head.rfind(f" {name} "), name) for name in ["set x", "set x | upper", "filter upper", "filter trim | title",
                                                                     "with q = 1", "with x = y, y = 2", "generation"])[1].split()[0]
            made = head + self.tag("end" + begun) + tail
        return made

    def line(self):
        """Expressions of which most have a value."""
        texts_, lists, numbers = ["x", "text", "bos_token", "messages[0].content", self.text(), self.text(), self.text()], [
            "y", "messages", "[1, 2, 3]", "['b', 'A', 'a', 'C']", "d.b", "range(4)", "'abc'", "x.split('b')", "[[1, 2], [3]]"], [
            "n", "d.a", self.number(), self.number(), "loop.index"]
        parts = []
        for _ in range(self.pick([1, 1, 2])):
            kind = self.random.random()
            if kind < 0.3:
                parts.append(f"{self.pick(texts_)}.{self.pick(methods)}" + self.pick(["", "", "|tojson", "|list", "[0]", "[::-1]", "[1:]", ".upper()"]))
            elif kind < 0.55:
                parts.append(f"{self.pick(self.pick([texts_, lists, lists, numbers, ['d', 'd', 'missing', 'none', 'true']]))}|{self.pick(filters)}" + self.pick(["", "", "", "|" + self.pick(filters)]))
            elif kind < 0.7:
                parts.append(f"{self.pick(self.pick([texts_, lists, numbers, names]))} is {self.pick(['', 'not '])}{self.pick(tests)}")
            elif kind < 0.85:
                parts.append(f"{self.pick(numbers)} {self.pick(binaries)} {self.pick(numbers)}")
            elif kind < 0.95:
                parts.append(f"{self.pick(texts_)} {self.pick(['+', '*', '%', '~', '==', '<', 'in', 'not in'])} {self.pick(texts_ + numbers)}")
            else:
                parts.append(f"({self.expression(1)})|string")
        value = self.pick([" ~ ", " ~ ", ", "]).join(f"({part})" for part in parts)
        shown = "{{ " + value + " }}"
        return self.pick([shown, shown, "{% for i in range(2) %}" + shown + "{% endfor %}"])

    def template(self):
        start = self.pick(["", "{% set ns = namespace(q=0, n=1) %}", "{% macro f(a=1, b=2) %}[{{ a }}|{{ b }}]{% endmacro %}",
                           "{% set x = messages[0].content %}"])
        return start + self.body(3)

    def mutated(self, template):
        pieces = ["-", "%}", "{%", "}}", "{{", "'", "(", ")", "[", "]", "|", "not ", " or ", " and ", ".", " ~ ", " + ", "0", "-1", "'role'", "is ",
                  " if x else y", "{%- endif %}", "{% endfor %}", "loop.", "| trim", "| tojson", " is defined", "1", "  \n", "messages", "#}", "{#"]
        for _ in range(self.pick([1, 1, 2, 3])):
            place = self.random.randrange(len(template) + 1)
            kind = self.random.random()
            if kind < 0.35:
                template = template[:place] + template[place + self.pick([1, 1, 2, 5, 12]):]
            elif kind < 0.7:
                template = template[:place] + self.pick(pieces) + template[place:]
            else:
                other = self.random.randrange(len(template) + 1)
                length = self.pick([1, 3, 8, 20])
                template = template[:place] + template[other:other + length] + template[place:]
        return template


class TooLong(BaseException):
    pass


def stop(*_):
    raise TooLong()


def main(seed, count, out):
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    signal.signal(signal.SIGALRM, stop)
    maker = Maker(seed)
    published = [path.read_text() for path in sorted(goldens.place.glob("*.jinja"))]
    given = [goldens.variables(one) for one in goldens.conversations.values()]
    small = {"messages": [{"role": "user", "content": "Hi a b"}, {"role": "assistant", "content": None}, {"role": "user", "content": [
        {"type": "text", "text": "é"}]}], "d": {"a": 1, "b": [1, 2], "role": "x"}, "x": "abc", "y": [3, 1, 2], "n": 4, "text": " Ab\ncd ",
        "items": {"k": None}, "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True,
        "tools": None, "documents": None}
    with open(out, "w") as lines:
        for index in range(count):
            if index % 4 == 1:
                template, variables = maker.mutated(maker.pick(published)), maker.pick(given)
            elif index % 4:
                template, variables = maker.line(), small
            else:
                template, variables = maker.template(), small
            signal.alarm(5)
            try:
                expected = goldens.rendered(template, variables)
            except (TooLong, MemoryError):
                continue
            finally:
                signal.alarm(0)
            if " at 0x" in expected.get("text", ""):
                expected = {"address": True}
            lines.write(json.dumps({"template": template, "variables": variables, "expected": expected}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
