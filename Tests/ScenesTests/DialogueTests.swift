import Files
import Foundation
import Scenes
import Tensors
import Testing

/// FNV-1a, 64 bits.
private func hash(_ bytes: [UInt8]) -> UInt64 {
  bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

/// Derives answers again from the words of the questions, not from what made them.
struct DialogueTests {
  private let scenes = (UInt64(0)..<60).map { Scene(seed: $0) }

  /// Dialogues of every kind about the scenes; pairs are a scene and the next.
  private func dialogues(_ language: Dialogue.Language, count: Int = 4) -> [Dialogue] {
    var random = SplitMix64(seed: 77)
    return scenes.indices.dropLast().flatMap { index in
      Dialogue.examination(
        of: scenes[index], and: scenes[index + 1], count: count, from: &random)
    }.filter { $0.language == language }
  }

  private static let chinese: [(english: String, chinese: String)] = [
    ("red", "红色"), ("green", "绿色"), ("blue", "蓝色"), ("yellow", "黄色"), ("black", "黑色"),
    ("gray", "灰色"), ("brown", "棕色"), ("teal", "青色"), ("circle", "圆形"),
    ("rectangle", "矩形"), ("triangle", "三角形"), ("star", "星形"), ("cross", "十字"),
    ("small", "小的"), ("large", "大的"),
  ]

  /// The objects that fit every word of a text that names one: "the red star", "small circles".
  private func fitting(_ text: some StringProtocol, in scene: Scene) -> [SceneObject] {
    let words = String(text).split(whereSeparator: { !$0.isLetter }).map(String.init)
    return scene.objects.filter { object in
      SceneObject.Color.allCases.allSatisfy {
        !words.contains($0.rawValue) || object.color == $0
      }
        && SceneObject.Shape.allCases.allSatisfy {
          !(words.contains($0.rawValue) || words.contains($0.plural)) || object.shape == $0
        }
        && SceneObject.Size.allCases.allSatisfy {
          !words.contains($0.rawValue) || object.size == $0
        }
    }
  }

  @Test func singleQuestionsAreTheQuestionsOfTheScene() {
    var kinds: Set<Dialogue.Topic> = []
    for dialogue in dialogues(.english) where dialogue.kind == .single {
      let turn = dialogue.turns[0]
      #expect(dialogue.turns.count == 1 && dialogue.scenes.count == 1)
      kinds.insert(turn.topic)
      let text = turn.question.prefix(1).lowercased() + turn.question.dropFirst()
      let known = dialogue.scenes[0].questions.first { $0.text == text }
      #expect(known?.kind.rawValue == turn.topic.rawValue, "\(turn.question)")
      if turn.topic != .box { #expect(known?.answer == turn.answer, "\(turn.question)") }
    }
    #expect(kinds.count == Question.Kind.allCases.count)
  }

  @Test func bothLanguagesSayTheSame() {
    let english = dialogues(.english)
    let chinese = dialogues(.chinese)
    #expect(english.count == chinese.count)
    let plain = [
      "yes": ["有", "是的", "一样"], "no": ["没有", "不是", "不一样"], "left": ["左边"],
      "right": ["右边"], "top": ["上方"], "bottom": ["下方"], "nothing": ["什么都没有"],
      "picture 1": ["第一张图"], "picture 2": ["第二张图"],
    ]
    func digit(_ character: Character) -> Bool { character.isASCII && character.isNumber }
    for (one, two) in zip(english, chinese) {
      #expect(one.kind == two.kind && one.scenes == two.scenes)
      #expect(one.turns.map(\.topic) == two.turns.map(\.topic))
      for (first, second) in zip(one.turns, two.turns) {
        #expect(!second.question.utf8.contains { $0 < 0x80 }, "\(second.question)")
        if let allowed = plain[first.answer] {
          #expect(allowed.contains(second.answer), "\(second.question)")
        } else if first.topic == .count {
          #expect(second.answer == first.answer + "个")
        } else {
          // The attributes of the answer in their order, and the same numbers.
          var words: [String] = []
          for word in first.answer.lowercased().split(whereSeparator: { !$0.isLetter }) {
            if let known = Self.chinese.first(where: { $0.english == word }) {
              words.append(known.chinese)
            }
          }
          var rest = second.answer[...]
          for word in words {
            let place = rest.range(of: word)
            #expect(place != nil, "\(first.answer) - \(second.answer)")
            if let place { rest = rest[place.upperBound...] }
          }
          #expect(first.answer.filter(digit) == second.answer.filter(digit))
        }
      }
    }
  }

  @Test func laterTurnsAreTrueOfTheirScenes() {
    var lengths: Set<Int> = []
    var checked = 0
    for dialogue in dialogues(.english) where dialogue.kind == .followUp {
      lengths.insert(dialogue.turns.count)
      let scene = dialogue.scenes[0]
      var it: SceneObject?
      var first = ""
      for (number, turn) in dialogue.turns.enumerated() {
        let words = turn.question
        if number == 0 { first = words }
        let asked = words.hasPrefix("And ") ? first : words
        let about = words.contains(" it") ? it : nil
        // What is named before "left of the blue star?" and the like.
        var named = words[...]
        for side in ["left of", "right of", "above", "below"] {
          if let place = words.range(of: side) { named = words[..<place.lowerBound] }
        }
        let found = about.map { [$0] } ?? fitting(named, in: scene)
        let object = found.count == 1 ? found[0] : nil
        switch turn.topic {
        case .color: #expect(turn.answer == object?.color.rawValue, "\(words)")
        case .shape: #expect(turn.answer == object?.shape.rawValue, "\(words)")
        case .size: #expect(turn.answer == object?.size.rawValue, "\(words)")
        case .existence:
          #expect(asked.hasPrefix("Is there a "))
          #expect(turn.answer == (found.isEmpty ? "no" : "yes"), "\(words)")
        case .count:
          #expect(asked.hasPrefix("How many "))
          #expect(turn.answer == String(found.count), "\(words)")
        case .box: #expect(object.map { turn.answer.contains("<ref>\($0.name)</ref>") } == true)
        case .half:
          let middle = (object?.box.left ?? 0) + (object?.box.right ?? 0)
          let height = (object?.box.top ?? 0) + (object?.box.bottom ?? 0)
          let truth =
            words.contains("left or")
            ? (middle < 224 ? "left" : "right") : (height < 224 ? "top" : "bottom")
          #expect(turn.answer == truth, "\(words)")
        case .relation:
          let question = words.replacing(" it ", with: " the \(it?.name ?? "") ")
          let text = question.prefix(1).lowercased() + question.dropFirst()
          let known = scene.questions.first { $0.text == text }
          #expect(known?.answer == turn.answer, "\(question)")
        case .neighbor:
          let side = ["left of", "right of", "above", "below"].first { words.contains($0) } ?? ""
          let there = scene.objects.filter { other in
            scene.questions.contains {
              $0.text == "is the \(other.name) \(side) the \(it?.name ?? "")?" && $0.answer == "yes"
            }
          }
          #expect(there.count <= 1)
          #expect(turn.answer == (there.first.map { "a \($0.name)" } ?? "nothing"), "\(words)")
        case .picture, .both, .find, .scene: Issue.record("\(turn.topic) in a conversation")
        }
        if about == nil { it = object }
        #expect(number == 0 || words.hasPrefix("And ") || words.contains("it"))
        checked += 1
      }
    }
    #expect(lengths == [2, 3, 4])
    #expect(checked > 400)
  }

  @Test func answersAboutTwoPicturesAreTrue() {
    var topics: Set<Dialogue.Topic> = []
    for dialogue in dialogues(.english) where dialogue.kind == .pair {
      #expect(dialogue.scenes.count == 2)
      let turn = dialogue.turns[0]
      let words = turn.question.replacing("picture", with: "")
      topics.insert(turn.topic)
      let found = dialogue.scenes.map { fitting(words, in: $0) }
      let numbers = dialogue.scenes.map(\.objects.count)
      if turn.question.hasPrefix("Which picture") {
        #expect(turn.answer == (numbers[0] > numbers[1] ? "picture 1" : "picture 2"))
        #expect(numbers[0] != numbers[1])
      } else if turn.question.hasPrefix("In which") {
        #expect(found.map(\.count).sorted() == [0, 1])
        #expect(turn.answer == (found[0].isEmpty ? "picture 2" : "picture 1"))
      } else if turn.question.hasPrefix("Do both") {
        #expect(turn.answer == (numbers[0] == numbers[1] ? "yes" : "no"))
      } else if turn.question.hasSuffix("in both pictures?") {
        #expect(turn.answer == (found.contains(where: \.isEmpty) ? "no" : "yes"))
      } else if turn.question.hasPrefix("Do the") {
        #expect(found.map(\.count) == [1, 1])
        let same =
          turn.question.hasSuffix("color?")
          ? found[0][0].color == found[1][0].color : found[0][0].size == found[1][0].size
        #expect(turn.answer == (same ? "yes" : "no"), "\(turn.question)")
      } else {
        let there = turn.question.contains("picture 1?") ? found[0] : found[1]
        switch turn.topic {
        case .color: #expect(there.map(\.color.rawValue) == [turn.answer])
        case .shape: #expect(there.map(\.shape.rawValue) == [turn.answer])
        case .count: #expect(String(there.count) == turn.answer)
        default: #expect(turn.answer == (there.isEmpty ? "no" : "yes"), "\(turn.question)")
        }
      }
    }
    #expect(topics == [.color, .shape, .count, .existence, .picture, .both])
  }

  @Test func whatIsFoundIsAllThatFits() {
    var missing = 0
    var several = 0
    for dialogue in dialogues(.english) where dialogue.kind == .ground {
      let turn = dialogue.turns[0]
      let found = fitting(turn.question, in: dialogue.scenes[0])
        .sorted { $0.box.left + $0.box.right < $1.box.left + $1.box.right }
      if found.isEmpty {
        missing += 1
        #expect(turn.answer.hasPrefix("There is no "))
        #expect(fitting(turn.answer, in: dialogue.scenes[0]).isEmpty)
        continue
      }
      if found.count > 1 { several += 1 }
      let names = turn.answer.split(separator: "<ref>").map { $0.prefix { $0 != "<" } }
      #expect(names.map(String.init) == found.map(\.name))
      let numbers = turn.answer.split { !$0.isNumber }.compactMap { Int($0) }
      let edges = found.flatMap { [$0.box.left, $0.box.top, $0.box.right, $0.box.bottom] }
      #expect(numbers.count == edges.count)
      for (number, edge) in zip(numbers, edges) {
        #expect(number % 10 == 0 && number <= 990)
        #expect(abs(Double(number) / 1000 * 224 - Double(edge)) <= 2.3)
      }
    }
    #expect(missing > 20 && several > 20)
  }

  @Test func descriptionsAreTheCaption() {
    var described = 0
    for dialogue in dialogues(.english) where dialogue.kind == .describe {
      let caption = dialogue.scenes[0].caption
      let sentence = caption.prefix(1).uppercased() + caption.dropFirst() + "."
      #expect(dialogue.turns[0].answer == sentence)
      described += 1
    }
    #expect(described > 100)
  }

  @Test func noQuestionHasTwoAnswers() {
    var known: [String: String] = [:]
    for language in Dialogue.Language.allCases {
      for dialogue in dialogues(language, count: 12) {
        var said = dialogue.scenes.map { String($0.seed) }.joined(separator: " ")
        for turn in dialogue.turns {
          said += "\n" + turn.question
          #expect(known[said] == nil || known[said] == turn.answer, "\(said)")
          known[said] = turn.answer
          said += "\n" + turn.answer
        }
      }
    }
  }

  @Test func theSameSeedGivesTheSameDialoguesForEver() {
    var random = SplitMix64(seed: 9)
    var text = ""
    for seed in UInt64(0)..<40 {
      let drawn = Dialogue.examination(
        of: Scene(seed: seed), and: Scene(seed: seed + 1), count: 2, from: &random)
      text += drawn.map { $0.json.written() }.joined()
    }
    #expect(hash(Array(text.utf8)) == 7_574_904_991_303_224_452)
  }

  @Test func crowdsAndSinglePicturesHaveNoPairs() {
    var random = SplitMix64(seed: 2)
    let crowd = (UInt64(0)..<40).map { Scene(seed: $0, population: .crowded) }
      .first { Set($0.objects.map(\.name)).count < $0.objects.count }
    if let crowd {
      #expect(Dialogue.draw(.single, in: .english, about: crowd, from: &random) == nil)
    }
    #expect(Dialogue.draw(.pair, in: .chinese, about: scenes[0], from: &random) == nil)
    #expect(Dialogue.examination(of: scenes[0], from: &random).allSatisfy { $0.kind != .pair })
  }

  @Test func framesHoldDialoguesAfterEverythingElse() throws {
    let bytes = SceneFrame(of: scenes[3], and: scenes[4], dialogues: 2, grid: nil).bytes
    let record = try JSON(parsing: Array(bytes.dropFirst(4)))
    let plain = scenes[3].json
    #expect(record["caption"] == plain["caption"] && record["questions"] == plain["questions"])
    let written = record["dialogues"]?.array ?? []
    #expect(written.count >= 16)
    #expect(written.contains { $0["seeds"]?.array?.count == 2 && $0["kind"]?.text == "pair" })
    #expect(written.allSatisfy { $0["turns"]?[0]?["answer"]?.text?.isEmpty == false })
  }
}
