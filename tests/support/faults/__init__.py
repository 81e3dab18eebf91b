"""All faults, room by room."""

from faults import (
    basics,
    cli,
    commands,
    displays,
    engine,
    estimators,
    export,
    layers,
    network,
    persistence,
    tables,
    training,
    uncertainty,
)

MUTANTS = [
    fault
    for room in (
        *(basics, layers, network, training, engine),
        *(estimators, tables, uncertainty),
        *(persistence, export, displays, commands, cli),
    )
    for fault in room.FAULTS
]
