"""C and D: what only the whole set can say."""
