internal import Checkpoints
internal import Files
internal import Foundation
internal import Tokenizers
internal import Tracing

extension BLIP2 {
  /// The folder of a language model that is published apart from what sees, as Ziya-BLIP2-14B-Visual is.
  struct LanguageFolder {
    /// The folder.
    let folder: CheckpointFolder
    /// Its `config.json`.
    let configuration: ConfigurationReader
    private let visual: CheckpointFolder

    /// The folder that is named beside `visual`; nil where none is.
    init?(_ visual: CheckpointFolder) throws {
      guard let folder = try visual.language() else { return nil }
      (self.visual, self.folder) = (visual, folder)
      configuration = ConfigurationReader(
        file: folder.url.appending(path: "config.json").path, path: "",
        json: try folder.configuration())
    }

    /// Looks whether the two fit, as far as the visual part's configuration and names tell it.
    ///
    /// - Throws: `ModelError` where the visual part has a language model already, takes none, or was made
    ///   for one of another width.
    func check(
      _ json: JSON, _ tensors: TensorCollection, _ language: Configuration.Language?
    ) throws {
      guard let language else {
        throw ModelError.languageNotTaken(
          folder: visual.path, reason: "is a retrieval checkpoint, which has none")
      }
      if tensors.names.contains(where: { $0.hasPrefix(BLIP2.languageRoot) }) {
        throw ModelError.languageNotTaken(folder: visual.path, reason: "has one of its own")
      }
      if let width = json["text_config"]?["hidden_size"]?.int {
        try check(width: width, language)
      }
    }

    /// Looks whether the projection ends in the language model's channels.
    func check(
      _ weights: borrowing WeightReader, _ language: Configuration.Language
    ) throws(ModelError) {
      if let width = weights.shape(of: Address("projection.weight"))?.first {
        try check(width: width, language)
      }
    }

    private func check(width: Int, _ language: Configuration.Language) throws(ModelError) {
      guard width != language.decoder.width else { return }
      throw .languageDoesNotFit(
        visual: visual.path, projection: width, language: folder.path,
        width: language.decoder.width)
    }

    /// The language model's tokenizer.
    ///
    /// - Throws: where the visual part has another one.
    func tokenizer() throws -> any Tokenizer {
      let own = try TokenizerFolder.read(folder.url)
      let names = CheckpointFolder.tokenizerFiles.filter(visual.has)
      // The same files need not be read.
      let isCopy = try names.allSatisfy { name in
        try folder.has(name)
          && WholeFile.read(visual.url.appending(path: name))
            == WholeFile.read(folder.url.appending(path: name))
      }
      guard !isCopy else { return own }
      let other: any Tokenizer
      do { other = try TokenizerFolder.read(visual.url) } catch TokenizerError.noTokenizer {
        // Settings without a vocabulary are of no tokenizer.
        return own
      }
      let count = max(own.vocabularySize, other.vocabularySize)
      guard let id = (0..<count).first(where: { own.token($0) != other.token($0) }) else {
        return own
      }
      func words(_ tokenizer: any Tokenizer) -> String {
        tokenizer.token(id).map { "'\($0)'" } ?? "no token"
      }
      throw ModelError.tokenizersDisagree(
        visual: visual.path, language: folder.path, id: id, first: words(other),
        second: words(own))
    }
  }
}
