"""All faults, room by room."""

from faults import (
    basics,
    commands,
    engine,
    estimators,
    layers,
    network,
    tables,
    training,
    uncertainty,
)

MUTANTS = [
    fault
    for room in (
        *(basics, layers, network, training, engine),
        *(estimators, tables, uncertainty, commands),
    )
    for fault in room.FAULTS
]
