"""Sentences on how outputs become the answer for a row, and on its error bar."""

from __future__ import annotations

import numpy as np

from thinnet.tables.explained.fields import Explained
from thinnet.tables.heads import WeighedHead
from thinnet.tables.targets import TargetScale
from thinnet.tables.uncertain import shortened, value_text
from thinnet.uncertainty.draws.heads import ClassHead, NumberHead


def about_answer(of: Explained) -> list[str]:
    """How the outputs of networks become the answer."""
    head = of.head
    if isinstance(head, WeighedHead):
        return _about_classes(of, head)
    assert isinstance(head, NumberHead)
    return _about_numbers(of, head)


def _about_classes(of: Explained, head: WeighedHead) -> list[str]:
    logs = "" if head.weights is None else " less the log of the classes' weights"
    found = [f"A network's probabilities are softmax of its outputs{logs}; together is their mean."]
    if head.decision is not None:
        name = shortened(str(head.classes[head.decision.positive]))
        p = value_text(float(of.answer.mean[head.decision.positive]))
        least = value_text(head.decision.threshold)
        found.append(f"{name} is predicted from a probability of {least} on; here it is {p}.")
    elif head.weights is not None:
        found.append("Predicted is the class of the largest weight times probability.")
    return found


def _about_numbers(of: Explained, head: NumberHead) -> list[str]:
    what = {"gaussian_nll": "its first output", "quantile": "the median of its quantiles"}
    if head.kind == "quantile" and not head.has_distributions:
        what["quantile"] = f"its quantile at {head.levels[0]:g}"
    start = f"A network's answer is {what.get(head.kind, 'its output')}; together is their mean"
    if not isinstance(head.units, TargetScale):
        return [f"{start}."]
    return [f"{start}, brought back to the target's own units: {_back_text(head.units)}."]


def _back_text(units: TargetScale) -> str:
    texts = []
    for center, scale, unit in zip(units.center, units.scale, units.unit, strict=True):
        linear = f"z * {value_text(float(scale))} + {value_text(float(center))}"
        logged = f"(exp({linear}) - 1) * {value_text(float(unit))}"
        texts.append(f"y = {logged if unit > 0 else linear}")
    return "; ".join(texts)


def about_error_bar(of: Explained) -> list[str]:
    """How sure the answer is."""
    if of.error_bar is None:
        head = of.head
        if not isinstance(head, ClassHead) and not head.has_distributions:
            return ["There is no error bar: one quantile is learned."]
        return ["There is no error bar: nothing draws."]
    return _sure_of_class(of) if isinstance(of.head, ClassHead) else _sure_of_numbers(of)


def _sure_of_class(of: Explained) -> list[str]:
    assert of.error_bar is not None
    bar, (place,) = of.error_bar, of.answer.places
    apart = value_text(float(np.std(of.answer.members[:, place])))
    measures = {name: value_text(float(value[0])) for name, value in bar.measures.items()}
    return [
        f"Over {bar.n_draws} draws with dropout on the probability has a standard deviation of "
        f"{value_text(float(bar.measures['std'][place]))}; between the networks, without, "
        f"{apart}.",
        f"Entropy {measures['predictive_entropy']} nats = {measures['expected_entropy']} in the "
        f"target itself + {measures['mutual_information']} on which the draws disagree.",
    ]


def _sure_of_numbers(of: Explained) -> list[str]:
    assert of.error_bar is not None
    assert of.error_bar.interval is not None
    bar, found, names = of.error_bar, [], of.answer.names
    for place, name in enumerate(names):
        low, high = (value_text(float(end)) for end in of.error_bar.interval[:, place])
        std, epistemic, aleatoric = (
            value_text(float(bar.measures[what][place]))
            for what in ("std", "epistemic", "aleatoric")
        )
        apart = value_text(float(np.std(of.answer.members[:, place])))
        found += [
            f"{shortened(name)} lies between {low} and {high} with probability {bar.coverage:g}, "
            f"by {bar.n_draws} draws with dropout on and their noise.",
            f"Its standard deviation is {std}: {epistemic} of draws, which more data would lower, "
            f"and {aleatoric} of noise; between the networks, without draws, it is {apart}.",
        ]
        if bar.errors is not None:
            shape = " to ".join(value_text(float(error)) for error in bar.errors[:, place])
            plain = value_text(float(bar.scores[1]))
            found.append(
                f"Calibrated by rows held out: the interval's ends are errors of {shape} standard "
                f"deviations, where a normal distribution has {plain} on both sides."
            )
    return found
