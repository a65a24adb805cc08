"""How often Python looks for cycles of objects that nobody needs any more."""

import gc

OBJECTS = 200_000
"""More than the batches of records in hand are (a record is nine): else each of them would be looked at."""


def look_seldom() -> None:
    """Look when so many objects have been made, and never again at those that are there now.

    A look holds up every thread: to be called when what stays has been loaded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS)
