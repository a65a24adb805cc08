"""`python -m services.intake` runs the service; `python -m services.intake import …` sends it candidates."""

import sys


def main() -> None:
    if sys.argv[1:2] == ["import"]:
        from services.intake.importer import main as run_import  # noqa: PLC0415 - needs no engines

        raise SystemExit(run_import(sys.argv[2:]))
    from services.intake.app import build  # noqa: PLC0415 - the import command starts without it
    from shared.run import run_alone  # noqa: PLC0415

    run_alone("intake", build, ("kafka", "mongodb"))


if __name__ == "__main__":
    main()
