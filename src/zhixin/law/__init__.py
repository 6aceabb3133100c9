"""The rulebook language: the law of a city as immutable data, its calendar, its checks and its loading."""
