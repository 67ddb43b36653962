"""A recipe and a set of pictures become weights."""
