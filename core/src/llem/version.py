"""The version of llem, which all distributions carry."""

__version__ = "0.1.0"
