"""The sealed folder that is a trained model: write it, open and verify it, prove it by its probe."""
