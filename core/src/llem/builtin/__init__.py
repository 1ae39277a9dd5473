"""Plugins that ship with core, written against ``llem.api`` alone like any other."""
