"""Writes repaired copies."""
