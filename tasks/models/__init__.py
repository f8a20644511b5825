"""Networks for tables: one file each, and a registry of their names."""
