"""Seconds from the start of this process to the end of a first epoch, as `thinnet fit` has it."""

import time

from thinnet import datasets, train
from thinnet.commands import recipes

settings = recipes.RECIPES["digits"].settings
split = datasets.digits()
network = settings.network(64, 10)
start = time.perf_counter()
train(
    network,
    split.X_train,
    split.y_train,
    optimizer=settings.new_optimizer(),
    epochs=1,
    batch_size=settings.batch_size,
    validation=(split.X_test, split.y_test),
    progress=False,
)
print(time.perf_counter() - start)
