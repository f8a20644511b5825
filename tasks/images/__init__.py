"""Images: from files to fixed-shape pixels, without duplicates, split, measured, normalised and augmented."""
