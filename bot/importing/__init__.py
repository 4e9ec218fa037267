"""Loads the college's CSV files (design section 7): everything is checked first, and written only if nothing is wrong."""

from bot.importing.load import Books, import_folder
from bot.importing.values import Counts, NothingToImport, Problem, Report

__all__ = ["Books", "Counts", "NothingToImport", "Problem", "Report", "import_folder"]
