"""The report of a run: one page that opens from disk, and the JSON that holds every number on it."""

from tessella.report.environment import environment
from tessella.report.table import score_table
from tessella.report.writing import refuse_existing_report, write_report

__all__ = ["environment", "refuse_existing_report", "score_table", "write_report"]
