"""What flows through Tessella: the types, their invariants and the errors. Imports nothing but NumPy."""
