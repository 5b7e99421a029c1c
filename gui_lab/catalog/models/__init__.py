"""The family of models; each file adds its entries to the registry."""
