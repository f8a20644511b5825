"""Networks for images: one file each."""
