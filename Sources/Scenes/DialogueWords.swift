extension Ask {
  /// The question as the user writes it.
  func words(in language: Dialogue.Language) -> String {
    language == .english ? english : chinese
  }

  private var english: String {
    func the(_ thing: Thing?) -> String { thing.map { "the \($0.english)" } ?? "it" }
    switch self {
    case .color(let thing): return "What color is \(the(thing))?"
    case .colorOf(let thing): return "What is the color of \(the(thing))?"
    case .shape(let thing):
      return thing == nil ? "What shape is it?" : "What is \(the(thing))?"
    case .size(let thing): return "What size is \(the(thing))?"
    case .place(let thing): return "Where is \(the(thing))?"
    case .exists(let thing): return "Is there a \(thing.english)?"
    case .count(let thing): return "How many \(thing.englishPlural) are there?"
    case .relation(let thing, let side, let other):
      return "Is \(the(thing)) \(side.english) \(the(other))?"
    case .half(let thing, let horizontal):
      return horizontal
        ? "Is \(the(thing)) on the left or the right?"
        : "Is \(the(thing)) at the top or the bottom?"
    case .neighbor(let side): return "What is \(side.english) it?"
    case .also(let thing, let series):
      switch series {
      case .existence: return "And a \(thing.english)?"
      case .count: return "And \(thing.englishPlural)?"
      default:
        return thing.shape == nil
          ? "And the \(thing.color?.rawValue ?? "other") one?" : "And \(the(thing))?"
      }
    case .find(let thing): return "Find \(the(thing))."
    case .findAll(let thing): return "Find all \(thing.englishPlural)."
    case .describe: return "Describe the picture."
    case .whatIsThere: return "What is in the picture?"
    case .morePicture: return "Which picture has more shapes?"
    case .sameNumber: return "Do both pictures have the same number of shapes?"
    case .inBoth(let thing): return "Is there a \(thing.english) in both pictures?"
    case .inWhich(let thing): return "In which picture is \(the(thing))?"
    case .colorIn(let picture, let thing):
      return "What color is \(the(thing)) in picture \(picture)?"
    case .shapeIn(let picture, let thing): return "What is \(the(thing)) in picture \(picture)?"
    case .countIn(let picture, let thing):
      return "How many \(thing.englishPlural) are there in picture \(picture)?"
    case .existsIn(let picture, let thing):
      return "Is there a \(thing.english) in picture \(picture)?"
    case .sameColor(let thing):
      return "Do the \(thing.englishPlural) in the two pictures have the same color?"
    case .sameSize(let thing):
      return "Do the \(thing.englishPlural) in the two pictures have the same size?"
    }
  }

  private var chinese: String {
    func the(_ thing: Thing?) -> String { thing?.chinese ?? "它" }
    func of(_ picture: Int) -> String { "第\(picture == 1 ? "一" : "二")张图中" }
    switch self {
    case .color(let thing): return "\(the(thing))是什么颜色？"
    case .colorOf(let thing): return "\(the(thing))的颜色是什么？"
    case .shape(let thing): return "\(the(thing))是什么形状？"
    case .size(let thing): return "\(the(thing))是大的还是小的？"
    case .place(let thing): return "\(the(thing))在哪里？"
    case .exists(let thing): return "图中有\(the(thing))吗？"
    case .count(let thing): return "图中有几个\(the(thing))？"
    case .relation(let thing, let side, let other):
      return "\(the(thing))在\(the(other))\(side.chinese)吗？"
    case .half(let thing, let horizontal):
      return horizontal ? "\(the(thing))在左边还是右边？" : "\(the(thing))在上方还是下方？"
    case .neighbor(let side): return "它\(side.chinese)有什么？"
    case .also(let thing, let series):
      if series == .shape || series == .size, thing.shape == nil, let color = thing.color {
        return "\(color.chinese)的呢？"
      }
      return "\(the(thing))呢？"
    case .find(let thing): return "找出\(the(thing))。"
    case .findAll(let thing): return "找出所有\(the(thing))。"
    case .describe: return "描述这张图片。"
    case .whatIsThere: return "图中有什么？"
    case .morePicture: return "哪张图中的图形更多？"
    case .sameNumber: return "两张图中的图形一样多吗？"
    case .inBoth(let thing): return "两张图中都有\(the(thing))吗？"
    case .inWhich(let thing): return "\(the(thing))在哪张图中？"
    case .colorIn(let picture, let thing): return "\(of(picture))的\(the(thing))是什么颜色？"
    case .shapeIn(let picture, let thing): return "\(of(picture))的\(the(thing))是什么形状？"
    case .countIn(let picture, let thing): return "\(of(picture))有几个\(the(thing))？"
    case .existsIn(let picture, let thing): return "\(of(picture))有\(the(thing))吗？"
    case .sameColor(let thing): return "两张图中的\(the(thing))颜色一样吗？"
    case .sameSize(let thing): return "两张图中的\(the(thing))大小一样吗？"
    }
  }
}

extension Answer {
  /// The answer as the model is to write it.
  func words(in language: Dialogue.Language) -> String {
    language == .english ? english : chinese
  }

  private var english: String {
    switch self {
    case .color(let color): return color.rawValue
    case .shape(let shape): return shape.rawValue
    case .size(let size): return size.rawValue
    case .count(let number): return String(number)
    case .side(let side):
      switch side {
      case .left: return "left"
      case .right: return "right"
      case .above: return "top"
      case .below: return "bottom"
      }
    case .picture(let number): return "picture \(number)"
    case .exists(let yes), .holds(let yes), .same(let yes): return yes ? "yes" : "no"
    case .boxes(let found): return found.map { $0.words(\.english) }.joined()
    case .missing(let thing): return "There is no \(thing.english)."
    case .neighbor(let thing): return thing.map { "a \($0.english)" } ?? "nothing"
    case .caption(let things):
      let names = things.map { "a " + $0.english }
      let text = Self.listed(names, ", ", " and ")
      return "A" + text.dropFirst() + "."
    }
  }

  private var chinese: String {
    switch self {
    case .color(let color): return color.chinese
    case .shape(let shape): return shape.chinese
    case .size(let size): return size.chinese
    case .count(let number): return "\(number)个"
    case .side(let side): return side.chinese
    case .picture(let number): return number == 1 ? "第一张图" : "第二张图"
    case .exists(let yes): return yes ? "有" : "没有"
    case .holds(let yes): return yes ? "是的" : "不是"
    case .same(let yes): return yes ? "一样" : "不一样"
    case .boxes(let found): return found.map { $0.words(\.chinese) }.joined()
    case .missing(let thing): return "图中没有\(thing.chinese)。"
    case .neighbor(let thing): return thing.map { "一个\($0.chinese)" } ?? "什么都没有"
    case .caption(let things):
      return Self.listed(things.map { "一个" + $0.chinese }, "、", "和") + "。"
    }
  }

  private static func listed(_ names: [String], _ comma: String, _ and: String) -> String {
    guard names.count > 1, let last = names.last else { return names.first ?? "" }
    return names.dropLast().joined(separator: comma) + and + last
  }
}

extension Found {
  /// `<ref>red circle</ref><box>(140,300),(420,580)</box>`: thousandths of the picture's side,
  /// rounded to a multiple of 10 and at most 990.
  func words(_ name: (Thing) -> String) -> String {
    let places = edges.map { min(990, ($0 * 1000 + Scene.side * 5) / (Scene.side * 10) * 10) }
    return "<ref>\(name(thing))</ref>"
      + "<box>(\(places[0]),\(places[1])),(\(places[2]),\(places[3]))</box>"
  }
}

extension Thing {
  var english: String { words(shape: shape?.rawValue ?? "shape") }
  var englishPlural: String { words(shape: shape?.plural ?? "shapes") }

  private func words(shape: String) -> String {
    ([size?.rawValue, color?.rawValue].compactMap { $0 } + [shape]).joined(separator: " ")
  }

  var chinese: String {
    (size?.chinese ?? "") + (color?.chinese ?? "") + (shape?.chinese ?? "图形")
  }
}

extension Side {
  /// What stands before "the red circle".
  var english: String {
    switch self {
    case .left: "left of"
    case .right: "right of"
    case .above: "above"
    case .below: "below"
    }
  }

  var chinese: String {
    switch self {
    case .left: "左边"
    case .right: "右边"
    case .above: "上方"
    case .below: "下方"
    }
  }
}

extension SceneObject.Color {
  var chinese: String {
    switch self {
    case .red: "红色"
    case .green: "绿色"
    case .blue: "蓝色"
    case .yellow: "黄色"
    case .black: "黑色"
    case .gray: "灰色"
    case .brown: "棕色"
    case .teal: "青色"
    }
  }
}

extension SceneObject.Shape {
  var chinese: String {
    switch self {
    case .circle: "圆形"
    case .rectangle: "矩形"
    case .triangle: "三角形"
    case .star: "星形"
    case .cross: "十字"
    }
  }
}

extension SceneObject.Size {
  var chinese: String { self == .small ? "小的" : "大的" }
}
