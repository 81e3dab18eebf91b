"""Parameters' names in error sentences replaced by the options that users type."""

from __future__ import annotations

import re
from typing import Final

from thinnet.checks import SettingError
from thinnet.commands.recipes import Settings

SETTINGS: Final = {  # an option, and the parameter of a table's estimator
    "hidden": "hidden_layer_sizes",
    "dropout": "dropout",
    "input_dropout": "input_dropout",
    "batch_norm": "batch_norm",
    "learning_rate": "learning_rate_init",
    "batch_size": "batch_size",
    "epochs": "max_iter",
    "networks": "n_networks",
    "weight_decay": "weight_decay",
    "effort": "effort",
    "time_limit": "time_limit",
    "eval_metric": "eval_metric",
    "loss": "loss",
    "quantile": "quantile",
    "threshold_for": "threshold_for",
    "positive": "positive_class",
}
SWITCHES: Final = {"class_weight": "--balanced"}  # options that take no value
OPTIONS: Final = {  # by the names of settings in Python
    **{name: f"--{name.replace('_', '-')}" for name in Settings.__dataclass_fields__},
    **{name: f"--{option.replace('_', '-')}" for option, name in SETTINGS.items()},
    **SWITCHES,
    "data_dir": "--data-dir",
    "kinds": "--kind",
    "sample_weight": "--weight",
    "groups": "--group",
    "time": "--time",
    "row": "--row",
    "member": "--member",
}  # fmt: skip
EACH: Final = "each of "
# Only names that no sentence has by chance, and none between quotes or in a file's name.
IN_WORDS: Final = re.compile(
    rf"(?<![\w'\"/.-])({'|'.join(name for name in OPTIONS if '_' in name)})"
    r"(?:='?([\w.=-]*)'?)?(?![\w'\"/]|\.\w)"
)
ADVICE: Final = "learning rate or clip_norm may help", "--learning-rate may help"


def renamed(error: SettingError) -> SettingError:
    """The same error, about the option that was typed."""
    named = error.renamed({each + name: each + option for each in ("", EACH)
                           for name, option in OPTIONS.items()})  # fmt: skip
    allowed = re.sub("^None for", "left out for", named.allowed)
    return type(error)(named.name, allowed, named.got)


def in_flags(words: str) -> str:
    """A sentence with names of parameters, and their values, replaced by options."""
    return IN_WORDS.sub(_option, words.replace(*ADVICE))


def _option(found: re.Match[str]) -> str:
    name, value = found.groups()
    plain = not value or name in SWITCHES
    return OPTIONS[name] if plain else f"{OPTIONS[name]} {value}"
