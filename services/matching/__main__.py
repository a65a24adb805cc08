"""`python -m services.matching`: the matching service alone."""

from services.matching.app import build
from shared.run import run_alone

if __name__ == "__main__":
    run_alone("matching", build, ("kafka",))
