extension LineEditor {
  /// Tab: indents at the beginning of a later line, else completes as far as all candidates agree,
  /// and shows a menu where they do not.
  mutating func openMenu() -> Outcome {
    let line = content.lineBefore
    if line.allSatisfy({ $0 == " " }), content.before.contains("\n") {
      content.insert(String(repeating: " ", count: 4 - line.count % 4))
      return .edited
    }
    guard var menu = currentMenu() else { return .refused }
    if menu.candidates.count == 1 {
      let earlier = content
      menu.selected = 0
      content = menu.content
      return content == earlier ? .refused : .edited
    }
    let prefix = menu.commonPrefix
    if prefix.count > menu.original.count, prefix.hasPrefix(menu.original) {
      content = EditedText(before: menu.head + prefix, after: menu.tail)
      menu = currentMenu() ?? menu
    }
    mode = .completing(menu)
    return .edited
  }

  /// A key while the menu is open.
  mutating func complete(_ key: Key, _ menu: CompletionMenu) -> Outcome {
    var menu = menu
    switch key {
    case .tab, .down, .control("n"): menu.move(by: 1)
    case .shiftTab, .up, .control("p"): menu.move(by: -1)
    case .escape, .control("g"), .control("c"):
      menu.selected = nil
      content = menu.content
      mode = .editing
      return key == .control("c") ? edit(key) : .edited
    case .enter where menu.selected != nil, .right where menu.selected != nil:
      mode = .editing
      return .edited
    case .character, .backspace:
      // Typing narrows the menu, or closes it when nothing is left.
      mode = .editing
      let outcome = edit(key)
      let typesOn = menu.selected == nil || key == .character("/") || key == .character(".")
      if typesOn, let narrowed = currentMenu(), !narrowed.original.isEmpty {
        mode = .completing(narrowed)
      }
      return outcome
    default:
      mode = .editing
      return edit(key)
    }
    content = menu.content
    mode = .completing(menu)
    return .edited
  }

  private func currentMenu() -> CompletionMenu? {
    let text = content.text
    let cursor = text.utf8.index(text.startIndex, offsetBy: content.before.utf8.count)
    return CompletionMenu(rules.complete(text, cursor), in: content)
  }
}
