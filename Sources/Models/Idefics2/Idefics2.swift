/// Chat models that read pictures of any shape among words: a vision tower, a gated projection, a perceiver
/// resampler and a decoder.
///
/// Laurençon et al. 2024, arXiv:2405.02246.
///
/// **Views.** A model that splits pictures is given five of each: the quarters and the whole. A view is a
/// picture of its own on its way (`vision`, `vision2`, … in the order of the published batch), because that is
/// what it is to the model: each has a size, patches and 64 rows among the words of its own, and no layer
/// before the language model sees two at once. So every command that can look at one of several pictures can
/// look at one view. What a view is *of* is told by its `Geometry`, which knows the part of the original that
/// it shows; maps of the five are laid over that one picture through it.
public enum Idefics2 {}
