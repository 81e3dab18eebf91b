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
    table_fits,
    table_insight,
    table_rows,
    tables,
    training,
    training_displays,
    uncertainty,
)

MUTANTS = [
    fault
    for room in (
        *(basics, layers, network, training, engine),
        *(estimators, tables, table_fits, table_insight, table_rows, uncertainty),
        *(persistence, export, displays, training_displays, commands, cli),
    )
    for fault in room.FAULTS
]
