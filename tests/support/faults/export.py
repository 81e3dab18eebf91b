"""Faults of ONNX files and of what goes to PyTorch."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "BatchNorm has no epsilon in ONNX",
        "export/onnx_layers.py",
        "_batch_norm",
        "np.sqrt(site.s.variance + x.dtype.type(layer.epsilon))",
        "np.sqrt(site.s.variance)",
        ("export/test_onnx.py",),
    ),
    Mutant(
        "classical dropout is not scaled in ONNX",
        "export/onnx_layers.py",
        "_dropout",
        'layer.scaling == "inverted" or rate == 0',
        "True",
        ("export/test_onnx.py",),
    ),
    Mutant(
        "missing numbers are 0 in ONNX",
        "export/onnx_tables.py",
        "_filled",
        "fill.statistics_[None, :]",
        "np.zeros_like(fill.statistics_)[None, :]",
        ("export/test_onnx_tables.py",),
    ),
    Mutant(
        "a rare category is unlike an unseen one in ONNX",
        "export/onnx_tables.py",
        "_one_hot",
        "bool(others)",
        "1",
        ("export/test_onnx_tables.py",),
    ),
    Mutant(
        "a repeated quantile has the first of its references in ONNX",
        "export/onnx_numbers.py",
        "_middles",
        "np.add(first, last) / 2",
        "np.array(first)",
        ("export/test_onnx_tables.py",),
    ),
    Mutant(
        "PyTorch's count of batches does not go along",
        "export/torch_state.py",
        "_places_in",
        'found["num_batches_tracked"] = Place(site.counters.seen, counts=True)',
        "pass",
        ("export/test_torch.py",),
    ),
    Mutant(
        "a running variance below 0 is loaded from PyTorch",
        "export/torch_state.py",
        "_checked",
        'place.counts or name.endswith(".running_var")',
        "place.counts",
        ("export/test_torch.py",),
    ),
    Mutant(
        "running statistics go to PyTorch in each other's place",
        "export/torch_state.py",
        "_places_in",
        '{"running_mean": Place(site.s.mean), "running_var": Place(site.s.variance)}',
        '{"running_mean": Place(site.s.variance), "running_var": Place(site.s.mean)}',
        ("export/test_torch.py",),
    ),
]
