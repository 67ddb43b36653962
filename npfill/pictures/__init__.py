"""Pictures and masks from files, and back; what a model sees of them."""
