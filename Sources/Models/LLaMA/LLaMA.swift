/// Language models of LLaMA's kind, which read text alone: LLaMA and Mistral.
///
/// Touvron et al. 2023, arXiv:2302.13971; Jiang et al. 2023, arXiv:2310.06825.
public enum LLaMA {}
