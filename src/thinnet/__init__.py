"""thinnet trains neural networks that generalise, on a CPU, with dropout as a first-class thing.

Each name is imported when it is first used; `__init__.pyi` lists them all.
"""

from typing import Any

import lazy_loader

from thinnet.moved import new_name, refuse_old_modules

_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

refuse_old_modules()


def __getattr__(name: str) -> Any:
    if message := new_name(name):
        raise AttributeError(message)
    return _public(name)
