internal import Layers
internal import Tensors
internal import Tracing

extension BLIP2.Model {
  /// The stages, in the order a picture goes through them.
  public var stages: [Stage] {
    let vision = configuration.vision
    let (size, patch) = (vision.imageSize, vision.patchSize)
    let (tokens, queries) = (vision.tokenCount, configuration.queryCount)
    let pixels = "[3, \(size), \(size)]"
    let rows = "[\(tokens - 1), \(3 * patch * patch)]"
    let seen = "[\(tokens), \(vision.width)]"
    let answered = "[\(queries), \(configuration.qformer.width)]"
    var stages = [
      Stage(
        "preprocess", "Resizes the picture and centres its colours around 0.",
        from: "a picture", to: pixels
      ) { input, trace in
        try preprocess(try input.picture(for: "preprocess"), trace: &trace)
      },
      Stage(
        "patchify", "Cuts the pixels into squares and lays each out as one row.",
        from: pixels, to: rows
      ) { input, trace in
        try patchify(try input.tensor([3, size, size], for: "patchify"), trace: &trace)
      },
      Stage(
        "embed", "Maps each patch to a token, puts the class token first and adds positions.",
        from: rows, to: seen
      ) { input, trace in
        try embed(try input.tensor([nil, nil], for: "embed"), trace: &trace)
      },
      Stage(
        "encode", "Lets the tokens look at each other in \(vision.blockCount) blocks.",
        from: seen, to: seen
      ) { input, trace in
        try encode(try input.tensor([nil, nil], for: "encode"), trace: &trace)
      },
      Stage(
        "query", "Lets \(queries) learned queries gather from the tokens what they ask for.",
        from: seen, to: answered
      ) { input, trace in
        try query(try input.tensor([nil, nil], for: "query"), trace: &trace)
      },
    ]
    guard let language = configuration.language else { return stages }
    let soft = "[\(queries), \(language.width)]"
    let sequence = "[\(queries) + T, \(language.width)]"
    stages += [
      Stage(
        "project", "Maps the answered queries into the language model's space: a soft prompt.",
        from: answered, to: soft
      ) { input, trace in
        try project(try input.tensor([nil, nil], for: "project"), trace: &trace)
      },
      Stage(
        "assemble", "Puts the words of the prompt behind the soft prompt.",
        from: "\(soft) and a text of T tokens", to: sequence
      ) { input, trace in
        try assemble(
          try input.tensor([nil, nil], for: "assemble"), input.text, trace: &trace)
      },
      Stage(
        "decode", "Reads the sequence and gives the next token's logits, again and again.",
        from: sequence, to: "[1, \(language.vocabularySize)]"
      ) { input, trace in
        let decoder = try writing("decode").decoder
        var state = decoder.start
        return try decoder.read(
          try input.tensor([nil, language.width], for: "decode"), after: &state, trace: &trace)
      },
    ]
    return stages
  }
}
