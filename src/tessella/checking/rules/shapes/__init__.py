"""G: drawn shapes."""
