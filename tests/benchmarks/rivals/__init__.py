"""Rivals that cannot share the product's settings: processes with settings of their own."""
