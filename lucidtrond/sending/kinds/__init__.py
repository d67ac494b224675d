"""Kinds of orders: one class for each, collected in `table`. Pure."""
