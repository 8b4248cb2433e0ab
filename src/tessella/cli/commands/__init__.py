"""One file per command: its flags, and a few lines over the function of the same name."""
