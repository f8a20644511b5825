"""The runs of a home, as their folders tell them: listed, found by name, set side by side. Imports are light."""
