"""Forward, backward and one update of a 2-2-2 network, as one does them on paper.

The numbers are those of Mazur 2015, "A step by step backpropagation example".  Every formula is
written out, and thinnet must agree.  The source prints a loss of 0.298371109 before the first
round and 0.291027924 after it.  The gradient gives 0.291027774: the source's number comes out
where the hidden layer is blamed with output weights that have already been updated, although its
text uses the original ones.  This script shows both.

    python examples/pass_on_paper.py
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np
import typer

import thinnet
from thinnet import SGD, Dense, Network, Sigmoid, SquaredError, train

X, TARGETS = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
GIVEN = (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55)
WEIGHTS = {f"w{n}": value for n, value in enumerate(GIVEN, start=1)}
B1, B2 = 0.35, 0.60
LEARNING_RATE = 0.5

Values = dict[str, float]


def paper_network() -> Network:
    """w1 w2 lead to h1, w3 w4 to h2, w5 w6 to o1, w7 w8 to o2."""
    network = Network([Dense(2), Sigmoid(), Dense(2), Sigmoid()], 2, seed=0, dtype=np.float64)
    hidden, output = network.sites[0].p, network.sites[2].p
    w = np.reshape(GIVEN, (2, 2, 2))
    hidden.W[:], hidden.b[:], output.W[:], output.b[:] = w[0], B1, w[1], B2
    return network


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def forward(w: Values) -> Values:
    (i1, i2), v = X[0], {}
    v["net_h1"] = w["w1"] * i1 + w["w2"] * i2 + B1
    v["net_h2"] = w["w3"] * i1 + w["w4"] * i2 + B1
    v["h1"], v["h2"] = sigmoid(v["net_h1"]), sigmoid(v["net_h2"])
    v["net_o1"] = w["w5"] * v["h1"] + w["w6"] * v["h2"] + B2
    v["net_o2"] = w["w7"] * v["h1"] + w["w8"] * v["h2"] + B2
    v["o1"], v["o2"] = sigmoid(v["net_o1"]), sigmoid(v["net_o2"])
    return v


def half_squared_error(v: Values) -> float:
    return 0.5 * (TARGETS[0, 0] - v["o1"]) ** 2 + 0.5 * (TARGETS[0, 1] - v["o2"]) ** 2


def backward(w: Values, v: Values) -> Values:
    """dE/dw of every weight: dE/do * do/dnet * dnet/dw, and one link more for the first layer."""
    (i1, i2), (t1, t2) = X[0], TARGETS[0]
    d_o1 = (v["o1"] - t1) * v["o1"] * (1 - v["o1"])  # dE/dnet_o1
    d_o2 = (v["o2"] - t2) * v["o2"] * (1 - v["o2"])
    # A hidden unit is to blame for both outputs.
    d_h1 = (d_o1 * w["w5"] + d_o2 * w["w7"]) * v["h1"] * (1 - v["h1"])
    d_h2 = (d_o1 * w["w6"] + d_o2 * w["w8"]) * v["h2"] * (1 - v["h2"])
    return {
        "w1": d_h1 * i1,
        "w2": d_h1 * i2,
        "w3": d_h2 * i1,
        "w4": d_h2 * i2,
        "w5": d_o1 * v["h1"],
        "w6": d_o1 * v["h2"],
        "w7": d_o2 * v["h1"],
        "w8": d_o2 * v["h2"],
    }


def updated(w: Values, gradient: Values) -> Values:
    return {name: w[name] - LEARNING_RATE * gradient[name] for name in w}


def one_round(w: Values) -> Values:
    return updated(w, backward(w, forward(w)))


def one_round_as_printed(w: Values) -> Values:
    """The source's order: the hidden gradients see output weights that have moved already."""
    v = forward(w)
    return updated(w, backward(updated(w, backward(w, v)), v))


def library_round() -> thinnet.Trace:
    """The same round in thinnet, every number with its formula, by the same names."""
    optimizer, loss = SGD(LEARNING_RATE), SquaredError()
    # The mean over two outputs of the squared error is the half squared error's sum.
    return thinnet.trace(paper_network(), X, TARGETS, optimizer=optimizer, loss=loss, names="paper")


def check_one_round(t: thinnet.Trace, v: Values, gradient: Values, new: Values) -> None:
    ours = v | {f"dE/d{name}": value for name, value in gradient.items()}
    ours |= {f"{name}+": value for name, value in new.items()} | {"E": half_squared_error(v)}
    for name, value in ours.items():
        np.testing.assert_allclose(t[name].value, value, rtol=1e-12, err_msg=name)
    n = t.check()
    print(f"thinnet: the same {len(ours)} numbers to 12 digits; {n} formulas hold")
    for name in ("net_h1", "h1", "dE/dw1", "w5+"):
        print(f"  {t[name]}")


def print_backward(w: Values, gradient: Values, new: Values) -> None:
    print("\nbackward\n           weight        dE/dw      updated")
    for name in w:
        print(f"  {name}  {w[name]:11.9f}  {gradient[name]:11.9f}  {new[name]:11.9f}")


def with_biases() -> float:
    """The loss after one round in which the four biases learn as well."""
    network = paper_network()
    train(network, X, TARGETS, optimizer=SGD(LEARNING_RATE), epochs=1, clean_rows=0, progress=False)
    return SquaredError()(network.outputs(X), TARGETS)[0]


def print_many(rounds: int, after: Callable[[Values], Values], order: str) -> None:
    w = WEIGHTS
    for _ in range(rounds):
        w = after(w)
    v = forward(w)
    print(f"  {order:22}  {half_squared_error(v):.10f}, outputs {v['o1']:.9f} {v['o2']:.9f}")


def main(
    rounds: Annotated[int, typer.Option(help="How far to go on after the first.")] = 10_000,
) -> None:
    """Print one round by hand, then the loss after many."""
    v = forward(WEIGHTS)
    print("forward")
    for name, value in v.items():
        print(f"  {name:6}  {value:.9f}")
    gradient = backward(WEIGHTS, v)
    new = updated(WEIGHTS, gradient)
    print_backward(WEIGHTS, gradient, new)
    print(f"\nloss before  {half_squared_error(v):.9f}")
    print(f"loss after   {half_squared_error(forward(new)):.9f}")
    check_one_round(library_round(), v, gradient, new)
    as_printed = forward(one_round_as_printed(WEIGHTS))
    print(f"loss after, in the source's order  {half_squared_error(as_printed):.9f}")
    print(f"loss after, biases updated too     {with_biases():.9f}")
    print(f"\nloss after {rounds:,} rounds")
    print_many(rounds, one_round, "by the gradient")
    print_many(rounds, one_round_as_printed, "in the source's order")


if __name__ == "__main__":
    typer.run(main)
