"""Figures as SVG, drawn here: a page of them stays small, prints, and needs no script."""
