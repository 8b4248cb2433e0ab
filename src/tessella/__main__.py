"""`python -m tessella`: the same as `tessella`."""

from tessella.cli.main import main

main()
