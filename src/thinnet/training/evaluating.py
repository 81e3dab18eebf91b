"""Loss and score of a network with dropout off."""

from __future__ import annotations

from thinnet import checks
from thinnet.arrays import MatrixLike, TargetLike, VectorLike
from thinnet.losses import Loss, loss_for
from thinnet.network import Network
from thinnet.training.data import checked_data
from thinnet.training.loop import measure


def evaluate(
    network: Network,
    X: MatrixLike,
    y: TargetLike,
    *,
    loss: Loss | None = None,
    sample_weight: VectorLike | None = None,
) -> tuple[float, float]:
    """Loss and score of a network on some data, dropout off.

    Parameters
    ----------
    network, X, y, loss, sample_weight
        As in `train`.

    Returns
    -------
    loss, score : float
        The mean loss without penalties; accuracy for classes, R^2 for numbers.

    Raises
    ------
    ValueError
        If the data doesn't fit the network or the loss.

    Examples
    --------
    >>> from thinnet import Dense, Network
    >>> network = Network([Dense(2, initializer="zeros")], features=1, seed=0)
    >>> round(evaluate(network, [[1.0], [2.0]], [0, 1])[0], 4)  # log 2: a guess between two classes
    0.6931
    """
    checks.must(isinstance(network, Network), "network", "a Network", network)
    loss = loss_for(y) if loss is None else loss
    checks.of_kind("loss", loss, Loss)
    data = checked_data(network, loss, X, y, sample_weight)
    return measure(network, loss, data)
