"""The version, which stands in results, too."""

__version__ = "0.1.0"
