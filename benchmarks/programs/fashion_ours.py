"""Ten epochs of Fashion-MNIST from the .gz files to a test score, by thinnet."""

import sys

from thinnet import Network, datasets, evaluate, train
from thinnet.layers import mlp as chains
from thinnet.optimizers import SGD

split = datasets.fashion_mnist(sys.argv[1])
layers = chains.mlp((256, 256), 10, dropout=(0.2, 0.5))
network = Network(layers, 784, seed=0)
train(
    network,
    split.X_train,
    split.y_train,
    optimizer=SGD(0.1),
    epochs=10,
    batch_size=256,
    clean_rows=0,
    progress=False,
)
print(evaluate(network, split.X_test, split.y_test)[1])
