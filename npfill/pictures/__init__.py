"""Pictures and masks: read, written, filled, and put on the scale of a model."""
