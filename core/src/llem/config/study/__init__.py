"""From a study file to its points: bases, axes, grids, and the validation of every point."""

from llem.config.study.file import is_study, read_study
from llem.config.study.load import LoadedStudy, load_study
from llem.config.study.points import Point
from llem.config.study.settings import StudySettings

__all__ = ["LoadedStudy", "Point", "StudySettings", "is_study", "load_study", "read_study"]
