"""The parts that the variants are composed of, one concept per file."""
