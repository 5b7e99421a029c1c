"""The family of transforms; each file adds its entries to the registry."""
