"""`python -m services.matching`: the matching service alone.

`compile` prepares the search, `replay` and `tune` look at past rankings.
"""

import sys

from services.matching.app import build
from services.matching.commands import run
from services.matching.warming import compile_here
from shared.run import run_alone
from shared.settings import Misconfigured, fail


def main(words: list[str]) -> None:
    if words[:1] in ([], ["dead"]):
        run_alone("matching", build, ("kafka",))
        return
    if words == ["compile"]:
        compile_here()
        return
    try:
        status = run(words)
    except Misconfigured as problem:
        fail(str(problem))
    else:
        raise SystemExit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
