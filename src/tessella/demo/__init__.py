"""The demonstration: aerial scenes drawn by a seed, annotated, spoilt, and taken the whole way to a model."""
