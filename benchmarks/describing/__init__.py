"""Whether the words of a slice name what was planted in it."""
