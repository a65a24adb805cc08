"""`python -m services`: all four services in one process; `demo` and `keys` beside it."""

import argparse
import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from services.catalog.app import build as build_catalog
from services.demo import Demo
from services.intake.app import build as build_intake
from services.matching.app import build as build_matching
from services.notifier.app import build as build_notifier
from services.together import Together
from shared.log import configure_logging
from shared.run import GracefulServer, Surroundings, listen, surroundings
from shared.settings import DEFAULT_SECRET, Misconfigured, Settings, check_secrets, fail, load
from shared.tokens import Tokens
from shared.web.access import KEY_PURPOSE

ENGINES = ("kafka", "mongodb", "smtp")
SCOPES = (
    "needs:read",
    "needs:write",
    "candidates:read",
    "candidates:write",
    "roles:write",
    "shortlists:read",
    "consultants:read",
    "consultants:write",
    "deliveries:read",
    "*",
)


def together(given: Surroundings) -> Together:
    """The four services, composed."""
    return Together(
        {
            "catalog": build_catalog(given),
            "intake": build_intake(given),
            "matching": build_matching(given),
            "notifier": build_notifier(given),
        },
        given.metrics,
    )


async def run(settings: Settings, *, sample: bool) -> None:
    """Serve until SIGTERM or Ctrl-C. With `sample`, fill the stores with made-up people first."""
    listener = listen(settings.host, settings.port)
    async with surroundings(settings, ENGINES) as given:
        application = together(given)
        running = GracefulServer(application, list(application.services.values()), settings)
        serving = asyncio.create_task(running.serve(sockets=[listener]))
        demo = Demo(settings, given.tokens, application.missing)
        greeting = asyncio.create_task(demo.greet(sample=sample))
        await asyncio.wait({serving, greeting}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await greeting
        await serving


async def run_demo(settings: Settings) -> int:
    """The main job once. Returns the exit status."""
    listener = listen(settings.host, settings.port)
    async with surroundings(settings, ENGINES) as given:
        application = together(given)
        running = GracefulServer(application, list(application.services.values()), settings)
        serving = asyncio.create_task(running.serve(sockets=[listener]))
        demo = Demo(settings, given.tokens, application.missing)
        try:
            return await demo.show(given.mailbox)
        finally:
            running.should_exit = True
            await serving


def issue_key(settings: Settings, arguments: argparse.Namespace) -> None:
    """Print a signed API key."""
    scopes = [scope for group in arguments.scopes for scope in group.split(",") if scope]
    if not 1 <= arguments.days <= 3650:
        raise Misconfigured("--days: a key lives 1 to 3650 days")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise Misconfigured(f"unknown scope {', '.join(unknown)}; there are: {', '.join(SCOPES)}")
    check_secrets(settings, embedded=bool(settings.embedded_parts))
    if DEFAULT_SECRET in settings.secrets():
        sys.stderr.write("warning: TOKEN_SECRETS is not set; this key opens services without it alone\n")
    tokens = Tokens(settings.secrets(), settings.token_revocations)
    key = tokens.issue(KEY_PURPOSE, arguments.owner, scopes=scopes, lifetime=timedelta(days=arguments.days))
    token_id = tokens.verify(key, KEY_PURPOSE).token_id
    sys.stdout.write(f"{key}\n")
    sys.stderr.write(f"owner {arguments.owner}, id {token_id} (to revoke), {arguments.days} days\n")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m services", description=__doc__)
    commands = top.add_subparsers(dest="command")
    run_command = commands.add_parser("run", help="serve until Ctrl-C (the default)")
    run_command.add_argument(
        "--sample", action="store_true", help="add made-up people also where MONGODB_URI is set"
    )
    commands.add_parser("demo", help="a need becomes a shortlist becomes a mail, once")
    keys = commands.add_parser("keys", help="API keys").add_subparsers(dest="keys_command", required=True)
    issue = keys.add_parser("issue", help="print a signed key")
    issue.add_argument("--owner", required=True)
    issue.add_argument("--scopes", required=True, nargs="+", help=", ".join(SCOPES))
    issue.add_argument("--days", type=int, default=365)
    return top


def main() -> int:
    arguments = parser().parse_args()
    try:
        settings = load(Settings)
        if arguments.command == "keys":
            issue_key(settings, arguments)
            return 0
        quiet = "WARNING" if "LOG_LEVEL" not in os.environ and not Path(".env").exists() else None
        configure_logging(quiet or settings.log_level)
        if arguments.command == "demo":
            return asyncio.run(run_demo(settings))
        # Made-up people belong into a store that keeps nothing, unless they are asked for.
        sample = getattr(arguments, "sample", False) or "MONGODB_URI" in settings.embedded_parts
        asyncio.run(run(settings, sample=sample))
    except Misconfigured as problem:
        fail(str(problem))
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
