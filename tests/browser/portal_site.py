"""All four services with a pool of made-up candidates, as a client's browser meets them."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, ClassVar

from services import sample_data
from services.__main__ import together
from services.together import Together
from shared.events.feedback import FEEDBACK, Decision
from shared.publisher import Publisher
from tests.browser.live_site import START_SECONDS, LiveSite
from tests.browser.people_site import PeopleSite
from tests.intake.support import a_feedback
from tests.support import publisher, until

CANDIDATES = 150


class PortalSite(LiveSite):
    variables: ClassVar[Mapping[str, str]] = {
        **PeopleSite.variables,
        "CATALOG_READS_PER_SECOND": "1000",
        "MATCHING_PREVIEW_BURST": "1000",
        "MATCHING_PREVIEW_PER_SECOND": "100",
    }
    _sends: Publisher

    async def build(self, stack: AsyncExitStack) -> Together:
        self._sends = await stack.enter_async_context(publisher(self.given.kafka_bootstrap))
        return together(self.given)

    async def fill(self) -> None:
        roles = (await self.http.get("/api/roles", params={"limit": 500})).json()["items"]
        people = sample_data.candidates(roles, {}, CANDIDATES, datetime.now(UTC).date())
        for consultant in sample_data.consultants():
            (await self.http.post("/api/consultants", json=consultant)).raise_for_status()
        lines = "\n".join(json.dumps(person) for person in people)
        (await self.http.post("/api/candidates/batch", content=lines)).raise_for_status()
        await until(self._ranked, seconds=START_SECONDS)

    async def _ranked(self) -> bool:
        found = await self.http.post("/api/rank", json={"need": {"title": "any"}, "limit": 1})
        return found.status_code == 200 and found.json()["index"]["candidates"] >= CANDIDATES

    def post_need(self, **fields: Any) -> dict[str, Any]:
        """A need through the API; the answer."""
        body = {
            "role_id": "back-end-developer",
            "company": "Sample Company",
            "contact": {"name": "Sample Client", "email": "sample.client@example.com"},
            "skills": [{"skill": "Python", "must": True}],
            "description": "We use Terraform.",
            "locale": "en",
        } | fields
        return self.post("/api/needs", body)

    def take(self, need_id: str) -> None:
        """A consultant takes a need over."""
        self.do(lambda: self._sends.publish(FEEDBACK, a_feedback(need_id, Decision.TAKEN)))

    def mail_to(self, address: str, holding: str) -> EmailMessage:
        """The newest mail to somebody with a text in it."""
        assert self.given.mailbox is not None
        mailbox = self.given.mailbox

        async def found() -> EmailMessage | None:
            mails = [mail for mail in mailbox.mails if mail.recipients[0] == address]
            return next((mail.message for mail in reversed(mails) if holding in _text(mail.message)), None)

        async def waited() -> EmailMessage:
            mail: EmailMessage = await until(found)
            return mail

        return self.do(waited)


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    return part.get_content() if part is not None else ""
