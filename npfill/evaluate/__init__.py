"""Measuring models, and writing down what was measured."""
