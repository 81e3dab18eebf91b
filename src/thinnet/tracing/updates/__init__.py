"""The update of a step: penalties, absence, clipping, the optimiser and max-norm, in this order."""
