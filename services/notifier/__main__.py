"""`python -m services.notifier`: runs the service; `consultants add | import | export` beside it."""

import sys

from services.notifier.app import build
from services.notifier.consultants_command import run
from shared.run import run_alone
from shared.settings import Misconfigured, fail


def main(arguments: list[str]) -> None:
    if arguments[:1] in ([], ["dead"]):
        run_alone("notifier", build, ("kafka", "mongodb", "smtp"))
        return
    try:
        status = run(arguments)
    except Misconfigured as problem:
        fail(str(problem))
    else:
        raise SystemExit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
