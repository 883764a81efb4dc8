/// CLIP: two towers that put pictures and texts in one space.
///
/// Radford et al. 2021, arXiv:2103.00020.
public enum CLIP {}
