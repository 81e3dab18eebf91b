"""Processors that compiled code and NumPy can be held to, as environment variables."""

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"}
PLAIN_NUMPY = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(f for f in __cpu_dispatch__ if __cpu_features__.get(f))
}
