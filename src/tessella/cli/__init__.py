"""The command line: a skin over the functions of the same names. Only this room prints."""
