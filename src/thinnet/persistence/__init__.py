"""Fitted models in files: arrays as safetensors, the rest as JSON, and no code."""

from thinnet.persistence.files import load, save

__all__ = ["load", "save"]
