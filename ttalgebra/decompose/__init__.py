"""From dense arrays to cores."""
