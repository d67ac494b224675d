"""Texts, numbers and errors as Java reads and words them, for both faces of a node."""
