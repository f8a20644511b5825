"""A generator of dirty flights with known defects, and of the truth about them."""
