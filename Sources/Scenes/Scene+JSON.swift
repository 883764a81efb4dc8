public import Files
internal import Tensors

extension Scene {
  /// Everything known about the scene.
  ///
  ///
  ///     {"seed": 7, "width": 224, "height": 224,
  ///      "objects": [{"shape": "star", "color": "red", "size": "small", "box": [l, t, r, b]}, …],
  ///      "caption": "…", "wrongCaptions": ["…", …],
  ///      "questions": [{"kind": "color", "text": "…", "answer": "…"}, …]}
  ///
  /// Boxes are in pixels, `left, top, right, bottom`, right and bottom after the last pixel. A seed
  /// above 2⁶³ is written as the negative number with the same bits.
  public var json: JSON {
    .object(JSON.Object(members))
  }

  /// The record of the scene's picture in a folder: `json` with the file's name in front.
  func json(image name: String) -> JSON {
    .object(JSON.Object([("image", .string(name))] + members))
  }

  /// `json` with one more member, `dialogues`: those that a training reads.
  func json(with dialogues: [Dialogue]) -> JSON {
    .object(JSON.Object(members + [("dialogues", .array(dialogues.map(\.json)))]))
  }

  private var members: [(String, JSON)] {
    var random = SplitMix64(seed: ~seed)
    return [
      ("seed", .integer(Int(truncatingIfNeeded: seed))),
      ("width", .integer(Scene.side)),
      ("height", .integer(Scene.side)),
      ("objects", .array(objects.map(\.json))),
      ("caption", .string(caption)),
      ("wrongCaptions", .array(wrongCaptions(from: &random).map { .string($0) })),
      ("questions", .array(questions.map(\.json))),
    ]
  }
}

extension SceneObject {
  /// The members `{"shape": …, "color": …, "size": …, "box": [left, top, right, bottom]}`.
  public var json: JSON {
    [
      "shape": .string(shape.rawValue), "color": .string(color.rawValue),
      "size": .string(size.rawValue),
      "box": [
        .integer(box.left), .integer(box.top), .integer(box.right), .integer(box.bottom),
      ],
    ]
  }
}

extension Question {
  /// The members `{"kind": …, "text": …, "answer": …}`.
  public var json: JSON {
    ["kind": .string(kind.rawValue), "text": .string(text), "answer": .string(answer)]
  }
}

extension Dialogue {
  /// The members `{"language": "en", "kind": …, "seeds": [7], "turns": [{"topic": …, "question": …,
  /// "answer": …}, …]}`; the seeds are of the scenes that it is about.
  public var json: JSON {
    [
      "language": .string(language.rawValue), "kind": .string(kind.rawValue),
      "seeds": .array(scenes.map { .integer(Int(truncatingIfNeeded: $0.seed)) }),
      "turns": .array(
        turns.map {
          [
            "topic": .string($0.topic.rawValue), "question": .string($0.question),
            "answer": .string($0.answer),
          ]
        }),
    ]
  }
}
