import Files
import Foundation
import Templates
import TestSupport
import Testing

/// Published chat templates, conversation by conversation, against what jinja2 renders.
@Suite struct PublishedTemplateTests {
  static let folder = Fixtures.goldens.appending(path: "templates")
  /// The moment that the goldens were made at.
  static let moment = TemplateDate(
    year: 2024, month: 7, day: 26, hour: 13, minute: 5, second: 9)

  /// What is wrong with a rendering, or nil: the text, where answers stand, or that it fails and why.
  static func difference(
    _ template: String, _ variables: JSON.Object, expected: JSON
  ) -> String? {
    do {
      let made = try Template(template).render(variables, now: moment)
      guard let text = expected["text"]?.text else {
        return "renders, but jinja2 fails: \(expected)"
      }
      guard Array(made.text.utf8) == Array(text.utf8) else {
        return "renders\n\(made.text)\nwhere jinja2 renders\n\(text)"
      }
      let spans = (expected["generated"]?.array ?? []).map {
        ($0[0]?.int ?? -1)..<($0[1]?.int ?? -1)
      }
      return made.generated == spans ? nil : "marks \(made.generated), jinja2 \(spans)"
    } catch let error as TemplateError {
      if let raised = expected["raised"]?.text {
        return error.kind == .raised && error.message == raised
          ? nil : "'\(error)' where the template raises '\(raised)'"
      }
      return expected["error"] == nil ? "'\(error)' where jinja2 renders \(expected)" : nil
    } catch {
      return "\(error)"
    }
  }

  @Test func everyConversationIsEqualInEveryTemplate() throws {
    let conversations = try JSON(file: Self.folder.appending(path: "conversations.json"))
    let renderings = try JSON(file: Self.folder.appending(path: "renderings.json"))
    var (texts, raised, failed) = (0, 0, 0)
    for (name, entries) in try #require(renderings.object).members {
      let template = try String(
        contentsOf: Self.folder.appending(path: "\(name).jinja"), encoding: .utf8)
      for (title, expected) in try #require(entries.object).members {
        let variables = try #require(conversations[title]?.object)
        let difference = Self.difference(template, variables, expected: expected)
        #expect(difference == nil, "\(name), \(title): \(difference ?? "")")
        if expected["text"] != nil { texts += 1 }
        if expected["raised"] != nil { raised += 1 }
        if expected["error"] != nil { failed += 1 }
      }
    }
    #expect((texts, raised, failed) == (610, 50, 96))
  }

  /// `scripts/fuzz-templates.py` makes such a file.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["FOVEA_TEMPLATE_CASES"] != nil))
  func casesOfAFileAreEqualOrRefusedByName() throws {
    let path = try #require(ProcessInfo.processInfo.environment["FOVEA_TEMPLATE_CASES"])
    var (equal, refused) = (0, 0)
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let fields = try JSON(parsing: String(line), depth: 500)
      let template = try #require(fields["template"]?.text)
      let variables = try #require(fields["variables"]?.object)
      let expected = try #require(fields["expected"])
      if expected["address"] != nil { continue }
      if let difference = Self.difference(template, variables, expected: expected) {
        let kind = Self.kind(template, variables)
        #expect(
          kind == .notBuilt || kind == .limit, "\(template)\n\(difference)")
        refused += 1
      } else {
        equal += 1
      }
    }
    print("\(equal) equal, \(refused) refused by name")
  }

  private static func kind(_ template: String, _ variables: JSON.Object) -> TemplateError.Kind? {
    do {
      _ = try Template(template).render(variables, now: moment)
      return nil
    } catch {
      return (error as? TemplateError)?.kind
    }
  }
}
