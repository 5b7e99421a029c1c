"""Lets a frozen app import a torchvision whose compiled operators do not match its torch.

torchvision built for CUDA beside a torch without it cannot load `_C.so`, and its Python part then fails where it refers
to operators that nobody defined ("operator torchvision::nms does not exist"). The lab uses torchvision's transforms and
models only, which are plain Python; so the names are declared, without an implementation, right before the first
import. Where the pair matches, `_C.so` loads, the operators are there, and nothing is declared. It stands in a finder,
so that torch is not imported when the app starts.
"""

import importlib.abc
import sys

_SIGNATURES = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


class _BeforeTorchvision(importlib.abc.MetaPathFinder):
    _library = None

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            self._declare()

    @classmethod
    def _declare(cls):
        import torch

        try:
            import importlib.util
            from pathlib import Path

            spec = importlib.util.find_spec("torchvision")
            for compiled in Path(spec.origin).parent.glob("_C*"):
                torch.ops.load_library(str(compiled))
        except OSError:
            pass
        if hasattr(torch.ops.torchvision, "nms"):
            return
        cls._library = torch.library.Library("torchvision", "DEF")
        for signature in _SIGNATURES:
            cls._library.define(signature)


sys.meta_path.insert(0, _BeforeTorchvision())
