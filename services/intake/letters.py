"""Letters that intake has written to somebody: kept until they are on Kafka, where notifier takes them."""

from collections.abc import Mapping
from datetime import timedelta

from uuid_utils import uuid7

from services.intake.store_entities import Document, digest
from services.intake.store_letters import LetterStore
from shared.events.letter import LETTERS, Letter
from shared.events.vocabulary import Locale
from shared.kafka import Kafka
from shared.mongo import Mongo
from shared.outbox import Outbox, stamp

A_DAY = timedelta(days=1)
KEPT = timedelta(days=7)
AT_MOST = 3
"""Letters of one template to one address a day: a form that anybody can fill in must not flood a mailbox."""


class Letters:
    def __init__(self, mongo: Mongo, kafka: Kafka) -> None:
        self.store = LetterStore(mongo)
        self.outbox: Outbox[Letter] = Outbox(self.store.collection, LETTERS, kafka, _event_of)

    async def create_indexes(self) -> None:
        await self.store.create_indexes()
        await self.outbox.create_indexes()

    async def send(
        self,
        template: str,
        locale: Locale,
        to_email: str,
        arguments: Mapping[str, str],
        *,
        to_name: str | None = None,
        at_most: int | None = AT_MOST,
        letter_id: str | None = None,
    ) -> bool:
        """Durable when this returns. False where the address had its share of this template today.

        With a `letter_id` of the caller's, asking again writes no second letter.
        """
        made = stamp()
        addressee = _addressee(to_email)
        if at_most is not None:
            sent = await self.store.count_since(addressee, template, made["occurred_at"] - A_DAY)
            if sent >= at_most:
                return False
        document: Document = {
            "_id": letter_id or str(uuid7()),
            "template": template,
            "locale": locale.value,
            "to_name": to_name,
            "to_email": to_email,
            "arguments": [{"name": name, "value": value} for name, value in arguments.items()],
            "addressee": addressee,
            "created_at": made["occurred_at"],
        } | made
        await self.outbox.insert(document)
        return True

    async def forget(self, email: str) -> None:
        """Forget what was written to an address whose person is erased."""
        await self.store.forget_addressee(_addressee(email))

    async def keep_house(self) -> None:
        """Forget what was published a week ago."""
        await self.store.forget(stamp()["occurred_at"] - KEPT)


def _addressee(email: str) -> str:
    return digest("letter", email.casefold())


def _event_of(document: Document) -> Letter:
    return Letter(
        letter_id=document["_id"],
        template=document["template"],
        locale=Locale(document["locale"]),
        to_name=document.get("to_name"),
        to_email=document["to_email"],
        # Pairs in the store: a name may hold a full stop or a dollar.
        arguments={one["name"]: one["value"] for one in document["arguments"]},
        revision=document["revision"],
        occurred_at=document["occurred_at"],
    )
