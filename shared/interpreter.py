"""How Python shares its time: between threads, and with its search for garbage."""

import gc
import sys

OBJECTS = 200_000
"""More than the batches of records in hand are (a record is nine): else each of them would be looked at."""
TURN_SECONDS = 0.0005
"""The longest that a thread runs Python code while another one waits to; 5 ms where nobody says otherwise."""


def look_seldom() -> None:
    """Look for garbage when so many objects have been made, and never again at those that are there now.

    A look holds up every thread: to be called when what stays has been loaded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS)


def take_short_turns() -> None:
    """For threads that compute in compiled code: whoever comes back from it waits for a turn, often."""
    sys.setswitchinterval(TURN_SECONDS)
