"""Fitted models for other runtimes: ONNX files and PyTorch's state."""

from thinnet.export.onnx_files import export_onnx
from thinnet.export.torch_state import from_torch_state, to_torch, to_torch_state

__all__ = ["export_onnx", "from_torch_state", "to_torch", "to_torch_state"]
