"""The page at `/`: models, their cards, and a form to try them."""
