/// Chat models that read pictures among words: a vision tower, a resampler and a decoder.
///
/// Bai et al. 2023, arXiv:2308.12966.
public enum QwenVL {}
