"""Grids of numbers: models and other tools on random fields and on real ones."""
