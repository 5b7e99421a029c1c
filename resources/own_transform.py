"""Two transforms of your own, as an example: one that always does the same, and one that draws random numbers.

A transform is a class that can be called with a picture, a tensor (channels, height, width): uint8 with values 0..255
before ToTensor, float32 after it. What stands in __init__ becomes its fields in the lab: int, float, bool, str, or a
tuple of numbers. A second parameter named generator makes it random; draw from it and from nothing else, so that the
preview of an epoch is what training gets.
"""

import torch


class Vignette:
    """Darkens the picture towards its corners."""

    def __init__(self, strength: float = 0.5):
        self.strength = strength

    def __call__(self, picture):
        height, width = picture.shape[-2:]
        y = torch.linspace(-1, 1, height)[:, None]
        x = torch.linspace(-1, 1, width)
        light = 1 - self.strength * (x**2 + y**2) / 2
        return (picture * light).to(picture.dtype)


class RandomShade:
    """Makes the picture darker or brighter by a random factor."""

    def __init__(self, low: float = 0.6, high: float = 1.4):
        self.low, self.high = low, high

    def __call__(self, picture, generator):
        factor = self.low + (self.high - self.low) * torch.rand(1, generator=generator).item()
        brightest = 255 if picture.dtype == torch.uint8 else 1
        return (picture * factor).clamp(0, brightest).to(picture.dtype)
