"""Reads each record once, into what the rules look at."""
