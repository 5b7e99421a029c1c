"""Losses, one file for each family."""
