"""Values inside annotation files: numbers, points, packed bytes and arrays, each within stated limits."""
