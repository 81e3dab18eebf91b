"""What is passed from function to function in compiled code, by name.

The records themselves (Operation, Round, Work and others) are in `records`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Thread: TypeAlias = int  # a member of the team, from 0
Address: TypeAlias = int  # of an array; 0 where there is none
Pointer: TypeAlias = np.uint64  # an address as vectors' loads and stores take it
Word: TypeAlias = np.uint64  # bits, a counter, a threshold
Lanes: TypeAlias = np.uint16  # a bit for each of sixteen

# The network's type is float32 or float64.
Number: TypeAlias = np.floating  # one of that type
Like: TypeAlias = np.floating  # one whose value is not asked, but its type
Numbers: TypeAlias = NDArray[np.floating]

Reals: TypeAlias = NDArray[np.float64]
Longs: TypeAlias = NDArray[np.int64]
Indices: TypeAlias = NDArray[np.int32]
Words: TypeAlias = NDArray[np.uint64]
Bytes: TypeAlias = NDArray[np.uint8]
Ids: TypeAlias = NDArray[np.uint32]
Records: TypeAlias = NDArray[np.void]

# What code that makes code is passed.  Numba and LLVM say little of their own types.
Kind: TypeAlias = Any  # the type that Numba has found for an argument
Value: TypeAlias = Any  # what LLVM calls a value: a constant, or what an instruction gives
Type: TypeAlias = Any  # LLVM's
Builder: TypeAlias = Any  # writes LLVM's instructions
Context: TypeAlias = Any  # knows what Numba's types are to LLVM
Arguments: TypeAlias = Sequence[Value]
Signature: TypeAlias = Any
Emit: TypeAlias = Callable[[Context, Builder, Signature, Arguments], Value]
Intrinsic: TypeAlias = tuple[Signature, Emit]  # what is said of the code for some kinds
Body: TypeAlias = Callable[..., Any]  # of a function, as it is compiled for some kinds
