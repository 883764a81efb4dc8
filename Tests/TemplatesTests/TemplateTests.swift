import Budget
import Files
import Foundation
import Templates
import Testing

/// What templates render, what they refuse, and that no template takes more than it may.
@Suite struct TemplateTests {
  private func rendered(_ template: String, _ variables: JSON.Object = JSON.Object()) -> String {
    do {
      return try Template(template, name: "t").render(
        variables, now: PublishedTemplateTests.moment
      ).text
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    // White space around tags, as `trim_blocks` and `lstrip_blocks` take it.
    ("a\n  {% if true %}\nb\n  {% endif %}\nc\n", "a\nb\nc"),
    ("a {%- if true -%} b {%+ endif +%}\n c", "ab \n c"),
    ("  {{ 1 }}\n", "  1"),
    ("{# x #}\na{#- y -#}  b", "ab"),
    ("{% raw %}{{ x }}{% endraw %}\n!", "{{ x }}!"),
    // Values as Python writes them.
    ("{{ [1, 2.0, 'it\\'s', none, true] }}", "[1, 2.0, \"it's\", None, True]"),
    (
      "{{ {'a': (1,), 'b': 1e16} }} {{ 1e-5 }} {{ 7 // -2 }} {{ -7 % 3 }} {{ 7 / 2 }}",
      "{'a': (1,), 'b': 1e+16} 1e-05 -4 2 3.5"
    ),
    ("{{ 'Straße'.upper() }} {{ 'ΑΣ'.lower() }} {{ 'e\u{301}'|length }}", "STRASSE ας 2"),
    (
      "{{ {'b': 'é<', 'a': [1, {}]}|tojson(indent=2) }}",
      "{\n  \"b\": \"é<\",\n  \"a\": [\n    1,\n    {}\n  ]\n}"
    ),
    // What is absent is empty, and only looking further fails.
    ("[{{ x }}{{ x is defined }}{{ x|default('d') }}{{ {}.y }}]", "[Falsed]"),
    ("{{ x.y }}", "t:1:6: 'x' is undefined"),
    // Names of a loop are its own; a namespace keeps them.
    ("{% set n = 0 %}{% for i in [1, 2] %}{% set n = n + i %}{% endfor %}{{ n }}", "0"),
    (
      "{% set s = namespace(n=0) %}{% for i in [1, 2] %}{% set s.n = s.n + i %}{% endfor %}{{ s.n }}",
      "3"
    ),
    (
      "{% for i in 'abc' %}{{ loop.index }}{{ loop.last }}{{ loop.previtem }} {% endfor %}",
      "1False 2Falsea 3Trueb "
    ),
    (
      "{% for i in [1, 2, 3, 4] %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}",
      "13"
    ),
    ("{% for i in [] %}{% else %}none{% endfor %}", "none"),
    (
      "{% for n in [[1, [2]], 3] recursive %}{{ loop.depth }}{% if n is not number %}({{ loop(n) }}){% endif %}{% endfor %}",
      "1(22(3))1"
    ),
    // Macros, callers, filters of blocks.
    (
      "{% macro f(a, b='-') %}{{ a }}{{ b }}{{ caller() if caller }}{% endmacro %}{{ f(1) }}{% call f(2, b='+') %}c{% endcall %}",
      "1-2+c"
    ),
    ("{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, x=2) }}", "(1,){'x': 2}"),
    ("{% filter upper %}a{% endfilter %}{% set x | trim %} b {% endset %}[{{ x }}]", "A[b]"),
    ("{{ strftime_now('%d %b %Y %H:%M') }}", "26 Jul 2024 13:05"),
    (
      "{{ ['a', 'b']|map('upper')|join('+') }} {{ [3, 1]|sort }} {{ 'a,b'.split(',')[-1] }}",
      "A+B [1, 3] b"
    ),
  ])
  func rendersAsJinjaDoes(_ template: String, _ expected: String) {
    #expect(rendered(template) == expected)
  }

  /// Each in one line, with its place.
  @Test(arguments: [
    ("a\n{{ raise_exception('no ' ~ 1) }}", "t:2:19: the template refuses: no 1"),
    ("{{ 1 +", "t:1:1: this tag has no end; it ends with '}}'"),
    ("{% if x %}", "t:1:11: the template ends where 'elif' or 'else' or 'endif' should be"),
    ("{% fi x %}", "t:1:4: there is no tag 'fi'"),
    ("{{ (1, 2] }}", "t:1:9: ']' stands where ')' should be"),
    ("{{ x|nosuch }}", "t:1:6: there is no filter 'nosuch'"),
    ("{{ 'a'|urlize }}", "t:1:8: the filter 'urlize' is not built here"),
    ("{% include 'x' %}", "t:1:4: the tag 'include' is not built here"),
    ("{{ 2 ** 100 }}", "t:1:6: a whole number beyond 64 bits is not built here"),
    ("{{ 'a'.encode() }}", "t:1:14: the method 'encode' of a text is not built here"),
    (
      "{% set x = [] %}{{ x.append(1) }}",
      "t:1:28: 'append' would change a list, which a template must not"
    ),
    (
      "{{ ''.__class__.__mro__ }}",
      "t:1:17: the attribute '__class__' of a text is not for templates"
    ),
  ])
  func failsWithItsPlace(_ template: String, _ expected: String) {
    #expect(rendered(template) == expected)
  }

  /// Neither time nor memory grows with what a template asks for.
  @Test(arguments: [
    "{{ 'x' * 10**9 }}", "{{ [0] * 10**12 }}", "{{ range(10**9)|list }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{{ g(n) }}{% endmacro %}{% macro g(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set s = namespace(x='ab') %}{% for i in range(99) %}{% set s.x = s.x ~ s.x %}{% endfor %}",
    "{% set s = namespace(x=[]) %}{% for i in range(9999) %}{% set s.x = [s.x] %}{% endfor %}{{ s.x }}",
    "{% set s = namespace(x=[1, 2]) %}{% for i in range(99) %}{% set s.x = [s.x, s.x] %}{% endfor %}{{ s.x }}",
    "{% set s = namespace(x=[1]) %}{% for i in range(9999) %}{% set s.x = s.x|map('upper') %}{% endfor %}{{ s.x|list }}",
    "{% set s = namespace() %}{% set s.x = s %}{{ s }}",
    "{{ 'x'.ljust(10**12) }}", "{{ 'x'|center(10**12) }}", "{{ 'a'|indent(10**12) }}",
    "{{ [1]|tojson(indent=10**12) }}", "{{ '%1000000000d' % 1 }}",
    "{{ '{:>999999999}'.format(1) }}",
    "{{ ('a' * 1000)|replace('', 'b' * 100000) }}", "{{ [1]|batch(10**12, 0)|list }}",
    "{{ " + String(repeating: "(", count: 99_999) + String(repeating: ")", count: 99_999) + " }}",
    String(repeating: "{% if x %}", count: 100_000),
    "{{ " + String(repeating: "not ", count: 100_000) + "x }}",
    "{{ 1" + String(repeating: " + 1", count: 100_000) + " }}",
    "{{ x" + String(repeating: "|upper", count: 100_000) + " }}",
    "{{ x" + String(repeating: "[0]", count: 100_000) + " }}",
  ])
  func aGreedyTemplateIsRefused(_ template: String) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let message = rendered(template)
    #expect(message.hasPrefix("t:1:"), "\(message.prefix(200))")
    #expect(clock.now - start < .seconds(60))
    #expect(message.utf8.count < 300)
  }

  @Test func whatRunsIsStopped() throws {
    let stop = Stop()
    stop.request()
    let endless = try Template(
      "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}")
    #expect(throws: CancellationError.self) {
      try Stop.$current.withValue(stop) { _ = try endless.render(JSON.Object()) }
    }
  }
}
