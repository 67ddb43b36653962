"""Sets of pictures, and samplers of the holes that models are trained on."""
