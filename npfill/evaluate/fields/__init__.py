"""Grids of numbers: models and other tools on random fields of known law and on real grids."""
