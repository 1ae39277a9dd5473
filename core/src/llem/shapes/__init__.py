"""Embedded model shapes: decoders of well-known sizes, without weights and without a download."""

from llem.shapes.catalog import SHAPES, Shape
from llem.shapes.folder import shape_folder, write_shape

__all__ = ["SHAPES", "Shape", "shape_folder", "write_shape"]
