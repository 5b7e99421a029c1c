"""The family of optimizers; each file adds its entries to the registry."""
