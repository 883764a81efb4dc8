/// BLIP-2: a frozen vision transformer, a Q-Former that asks it questions, and a frozen language
/// model that reads the answers as a soft prompt (Li, Li, Savarese, Hoi 2023, arXiv:2301.12597).
public enum BLIP2 {}
