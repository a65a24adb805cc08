"""What the desk's tests share: a signed-in client, and forms that come from our own page."""

import re

import httpx

from services.notifier.consultants import Consultant
from services.notifier.domain import NeedFile
from services.notifier.sign_in import LIFETIME, PURPOSE
from shared.events.feedback import FEEDBACK, Feedback
from tests.notifier.making import NEED_ID, Running, candidate_id
from tests.support import records, until

OURS = {"Sec-Fetch-Site": "same-origin"}
NEED = f"/desk/needs/{NEED_ID}"
OTHER = "0193b1aa-0000-7000-8000-00000000bbbb"
STRANGER = "0193b1aa-2222-7000-8000-00000000cccc"


async def sign_in(service: Running, who: Consultant) -> None:
    """From here on the client is that consultant's browser."""
    token = service.given.tokens.issue(PURPOSE, who.consultant_id, lifetime=LIFETIME)
    entered = await service.http.post(f"/desk/sign-in/{token}", headers=OURS)
    assert entered.status_code == 303
    service.http.cookies = entered.cookies


async def decide(service: Running, action: str, number: int | None = None, **fields: str) -> httpx.Response:
    """Press a button of the need's page; `number` is the candidate's."""
    data = {"action": action, **fields}
    if number is not None:
        data["candidate"] = candidate_id(number)
    return await service.http.post(f"{NEED}/decisions", data=data, headers=OURS)


async def page(service: Running, path: str = NEED) -> str:
    answer = await service.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def file(service: Running, need_id: str = NEED_ID) -> NeedFile:
    return await service.store.file(need_id)


async def posted(service: Running) -> None:
    """The sample need with its shortlist, and the mails about it."""
    await service.post()
    await ranked(service)
    await service.settled()


async def ranked(service: Running, need_id: str = NEED_ID) -> None:
    async def listed() -> bool:
        found = await file(service, need_id)
        return found.need is not None and found.shortlist is not None

    await until(listed)


async def feedback(service: Running, number: int) -> list[Feedback]:
    async def there() -> list[Feedback] | None:
        found = [one.event for one in await records(service.given.kafka_bootstrap, FEEDBACK) if one.event]
        return found if len(found) >= number else None

    found: list[Feedback] = await until(there)
    assert len(found) == number
    return found


def person(text: str, number: int) -> str:
    """The part of a need's page that is about one candidate."""
    found = re.search(rf'<article [^>]*id="c-{candidate_id(number)}".*?</article>', text, re.DOTALL)
    assert found is not None, f"candidate {number} is not there"
    return found[0]
