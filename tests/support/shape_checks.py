"""Shapes in thinnet's annotations, checked in every call of a function that names some.

Only running can check a shape.  The other annotations are mypy's, which proves them once; to check
them in each call would make the tests three times as slow.
"""

import pkgutil
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import get_args

import jaxtyping
from beartype import BeartypeConf, beartype

PUBLIC_OF_ESTIMATORS = ("thinnet.estimators.", "thinnet.tables.", "thinnet.uncertainty.")


def check_all():
    """Hook thinnet, which is not imported yet; an int may stand where a float is meant."""
    checker = ModuleType("thinnet_typechecker")
    checker.check = beartype(conf=BeartypeConf(is_pep484_tower=True))
    sys.modules[checker.__name__] = checker
    jaxtyped = jaxtyping.jaxtyped
    jaxtyping.jaxtyped = lambda typechecker: (
        lambda one: jaxtyped(one, typechecker=typechecker) if is_checked(one) else one
    )
    jaxtyping.install_import_hook(hooked_modules(), f"{checker.__name__}.check")


def hooked_modules():
    """All but the kernels, which a hook would keep from being compiled."""
    root = find_spec("thinnet").submodule_search_locations[0]
    names = {module.name for module in pkgutil.iter_modules([root])} - {"engine"}
    return [
        f"thinnet.{name}" for name in (*names, "engine.dropout", "engine.info", "engine.threads")
    ]


def is_checked(one):
    return has_shapes(one) and not is_of_scikit_learns_kind(one)


def is_of_scikit_learns_kind(one):
    """A method of an estimator that takes anything, and says itself what doesn't fit."""
    name = getattr(one, "__qualname__", "")
    in_class = "." in name and (name.endswith(".__init__") or name.split(".")[-1][0] != "_")
    return in_class and one.__module__.startswith(PUBLIC_OF_ESTIMATORS)


def resolved(annotation, names):
    """What the text of an annotation stands for; None while its names are unknown."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names)
    except (NameError, TypeError, AttributeError):
        return None


def holds_a_shape(annotation):
    """An array type of jaxtyping, alone or in a union, a tuple or another container."""
    is_array = isinstance(annotation, type) and issubclass(annotation, jaxtyping.AbstractArray)
    return is_array or any(map(holds_a_shape, get_args(annotation)))


def has_shapes(one):
    """A function, or a class with fields, of whose annotations one at least holds a shape."""
    names = getattr(one, "__globals__", None) or vars(sys.modules[one.__module__])
    annotations = getattr(one, "__annotations__", {}).values()
    return any(holds_a_shape(resolved(annotation, names)) for annotation in annotations)
