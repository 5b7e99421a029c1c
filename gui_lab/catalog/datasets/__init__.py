"""The family of datasets; each file adds its entries to the registry."""
