"""The layer of lookups as a module of PyTorch, which is imported with it."""

from __future__ import annotations

import numpy as np
import torch  # type: ignore[import-not-found]

from thinnet.layers.encodings import CATEGORY, VALUE, ColumnEncoding, inputs_of


class Columns(torch.nn.Linear):  # type: ignore[misc]
    """A Linear that makes its inputs of encoded rows (`thinnet.ColumnEncoding`)."""

    def __init__(self, columns: tuple[ColumnEncoding, ...], units: int) -> None:
        inputs = inputs_of(columns)
        super().__init__(len(inputs.slots), units)
        for name, values in (
            ("slots", inputs.slots),
            ("numbers", inputs.numbers.astype(np.float32)),
            ("offsets", inputs.offsets.astype(np.float32)),
            ("is_category", inputs.kinds == CATEGORY),
            ("is_value", inputs.kinds == VALUE),
        ):
            # Numbers of its own, where a module is made without any too.
            self.register_buffer(name, torch.tensor(values, device="cpu"), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        d = x[:, self.slots] - self.numbers
        z = torch.where(self.is_category, (d == 0).to(x.dtype), d.clamp(0, 1))
        return super().forward(torch.where(self.is_value, d, z) - self.offsets)
