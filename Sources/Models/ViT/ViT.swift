/// ViT: a vision transformer that tells classes apart.
///
/// Dosovitskiy et al. 2020, arXiv:2010.11929.
public enum ViT {}
