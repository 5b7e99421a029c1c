"""Concepts, one file for each idea of the course."""
