"""File formats: one file each, in the table `FORMATS`."""
