"""MongoDB through motor, in the one place that knows its options."""

import asyncio
from typing import Any

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo.errors import ConfigurationError, InvalidURI

from shared.log import get_logger
from shared.metrics import Metrics
from shared.outage import Unavailable, is_outage, reason
from shared.settings import Misconfigured

Database = AsyncIOMotorDatabase[dict[str, Any]]
Collection = AsyncIOMotorCollection[dict[str, Any]]

TIMEOUT_MS = 3000


def connect(uri: str) -> "AsyncIOMotorClient[dict[str, Any]]":
    """A client that fails within seconds, not half a minute. Raises Misconfigured for a bad URI."""
    try:
        return AsyncIOMotorClient(
            uri,
            tz_aware=True,
            w="majority",
            retryWrites="retryWrites=false" not in uri,
            serverSelectionTimeoutMS=TIMEOUT_MS,
            connectTimeoutMS=TIMEOUT_MS,
            socketTimeoutMS=3 * TIMEOUT_MS,
            uuidRepresentation="standard",
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise Misconfigured(f"MONGODB_URI: {reason(error)}") from error


class Mongo:
    """One service's database, and whether it answers."""

    def __init__(self, client: Any, database: str, service: str, metrics: Metrics) -> None:
        self.client = client
        self.database: Database = client.get_database(
            f"{database}_{service}", codec_options=CodecOptions(tz_aware=True)
        )
        self.away: str | None = None
        self._service = service
        self._metrics = metrics
        self._log = get_logger(service)

    def collection(self, name: str) -> Collection:
        return self.database[name]

    async def ping(self) -> None:
        """Note whether MongoDB answers. Never raises for an outage."""
        try:
            await self.database.command("ping")
        except NotImplementedError:
            problem = None  # mongomock has no commands, and is never away
        except Exception as error:
            if not is_outage(error):
                raise
            problem = reason(error)
        else:
            problem = None
        if problem and not self.away:
            self._log.warning("dependency_away", dependency="mongodb", why=problem)
        elif self.away and not problem:
            self._log.info("dependency_back", dependency="mongodb")
        self.away = problem
        self._metrics.dependency_up.labels(self._service, "mongodb").set(0 if problem else 1)

    async def watch(self) -> None:
        """Ping every few seconds until cancelled."""
        while True:
            await self.ping()
            await asyncio.sleep(2)

    async def wait(self) -> None:
        """Return once MongoDB answers."""
        await self.ping()
        while self.away:
            await asyncio.sleep(0.5)
            await self.ping()

    def require(self) -> None:
        """Raise Unavailable while MongoDB is known to be away, sooner than a time-out would."""
        if self.away:
            raise Unavailable("MongoDB is away")
