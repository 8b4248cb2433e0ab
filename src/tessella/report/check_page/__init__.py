"""The page of a check: every rule that found something, with a picture of each place, in one file."""

from tessella.report.check_page.writing import write_check_page

__all__ = ["write_check_page"]
