"""The main job as a story, told to whichever platform runs it."""

import re
from html import unescape
from typing import Any

import httpx

from shared.embedded import CaughtMail
from shared.events.shortlist import SHORTLISTS, Shortlist
from tests.flow.platform import Platform
from tests.support import records, until

Json = dict[str, Any]

CONSULTANT = {
    "name": "Sample Consultant 1",
    "email": "sample.consultant.1@example.com",
    "phone": "+33 1 99 00 00 01",
    "locale": "en",
    "practices": ["software"],
    "regions": ["FR-ARA"],
    "delivery": "immediate",
}
NEED = {
    "role_id": "back-end-developer",
    "title": "Back-end developer, payments",
    "company": "Sample Company",
    "contact": {"name": "Sample Client", "email": "sample.client@example.com", "phone": "+33 1 99 00 00 99"},
    "skills": [{"skill": "Python", "level": 4, "must": True}, {"skill": "k8s"}, {"skill": "Postgre"}],
    "location": {"country": "FR", "region": "FR-ARA"},
    "languages": [{"language": "fr", "level": "B2"}],
    "musts": ["languages"],
    "locale": "en",
}
BASIS = {"kind": "consent", "until": "2099-01-01", "source": "test"}


def candidate(number: int, level: int, **fields: Any) -> Json:
    return {
        "external_id": f"test-{number}",
        "name": f"Canary Person {number}",
        "email": f"canary.{number}@example.com",
        "skills": [{"skill": "Python", "level": level, "years": 5}, {"skill": "Kubernetes", "level": 3}],
        "roles": [{"role": "back-end-developer", "months": 36}],
        "location": {"country": "FR", "region": "FR-ARA"},
        "languages": [{"language": "fr", "level": "C1"}],
        "basis": BASIS,
        **fields,
    }


async def set_up(platform: Platform, *people: Json) -> list[str]:
    """One consultant, and candidates in the index. Returns the candidates' ids."""
    answer = await platform.http.post("/api/consultants", json=CONSULTANT)
    assert answer.status_code in {201, 409}, answer.text
    ids = []
    for person in people:
        answer = await platform.http.post("/api/candidates", json=person)
        assert answer.status_code in {200, 201}, answer.text
        ids.append(answer.json()["candidate_id"])
    await until(lambda: _indexed(platform, len(people)))
    return ids


async def _indexed(platform: Platform, count: int) -> bool:
    answer = await platform.http.post("/api/rank", json={"need": {"title": "any"}, "limit": 1})
    return answer.status_code == 200 and answer.json()["index"]["candidates"] >= count


async def post(platform: Platform, need: Json | None = None, **headers: str) -> Json:
    answer = await platform.public.post("/api/needs", json=need or NEED, headers=headers)
    assert answer.status_code == 201, answer.text
    posted: Json = answer.json()
    return posted


async def as_client_sees_it(platform: Platform, posted: Json) -> Json:
    """The need by its tracking link, without any key."""
    token = httpx.URL(posted["tracking_url"]).params["t"]
    answer = await platform.public.get(f"/api/needs/{posted['need_id']}", params={"t": token})
    assert answer.status_code == 200, answer.text
    need: Json = answer.json()
    return need


async def until_status(platform: Platform, posted: Json, status: str) -> Json:
    seen: list[str] = []

    async def reached() -> Json | None:
        need = await as_client_sees_it(platform, posted)
        seen.append(need["status"])
        return need if need["status"] == status else None

    found: Json = await until(reached, because=lambda: f"last status {seen[-1:]}")
    return found


async def mail_to(platform: Platform, posted: Json, start: str) -> CaughtMail:
    mails: list[CaughtMail] = await until(lambda: platform.mails_about(posted["reference"], start))
    return mails[0]


def link_in(mail: CaughtMail, label: str) -> str:
    """Where the HTML part's link or button with this label leads."""
    html = mail.message.get_body(("html",))
    assert html is not None
    for href, text in re.findall(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', html.get_content(), re.DOTALL):
        if label.lower() in re.sub(r"<[^>]+>", "", text).lower():
            return unescape(href)
    raise AssertionError(f"no link {label!r} in the mail")


async def act(platform: Platform, link: str, **fields: str) -> None:
    """Open a link of a mail, and confirm on the page it leads to."""
    page = await platform.public.get(link)
    assert page.status_code == 200, page.text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    answer = await platform.public.post(
        link, data=hidden | fields, headers={"Origin": str(platform.public.base_url).rstrip("/")}
    )
    assert answer.status_code in {200, 303}, answer.text


async def shortlists(platform: Platform, posted: Json) -> list[Shortlist]:
    """Every revision of the need's shortlist on Kafka."""
    found = await records(platform.bootstrap, SHORTLISTS)
    return [record.event for record in found if record.key == posted["need_id"] and record.event]


async def a_need_becomes_a_shortlist_becomes_a_mail(platform: Platform) -> None:
    strong, weak, _ = await set_up(
        platform,
        candidate(1, 5),
        candidate(2, 2),
        candidate(3, 5, languages=[{"language": "fr", "level": "A1"}]),
    )
    posted = await post(platform)
    need = await until_status(platform, posted, "sent")
    assert [entry["event"] for entry in need["timeline"]][:2] == ["received", "published"]

    (shortlist,) = await shortlists(platform, posted)
    assert [entry.candidate_id for entry in shortlist.entries] == [strong, weak]
    assert shortlist.eligible == 2
    assert [miss.missed.value for miss in shortlist.near_misses] == ["languages"]

    acknowledgement = await mail_to(platform, posted, "sample.client")
    assert posted["need_id"] in acknowledgement.raw.decode().replace("=\r\n", "")
    mail = await mail_to(platform, posted, "sample.consultant")
    text = mail.message.get_body(("plain",))
    assert text is not None
    content = text.get_content()
    for shown in ("Sample Client", "+33 1 99 00 00 99", "sample.client@example.com"):
        assert shown in content, "the client's contact is in the mail"
    assert "Canary" not in content, "no candidate's name is"
    assert "canary." not in content


async def a_consultants_answers_reach_the_client(platform: Platform) -> None:
    await set_up(platform, candidate(1, 5), candidate(2, 4))
    posted = await post(platform)
    mail = await mail_to(platform, posted, "sample.consultant")
    take = link_in(mail, "take")
    assert (await platform.public.get(take)).status_code == 200
    await act(platform, take)
    need = await until_status(platform, posted, "in_progress")
    assert need["consultant"]["phone"] == CONSULTANT["phone"]


async def nothing_happens_twice(platform: Platform, posted: Json, mails: int, revisions: int) -> None:
    """After everything was delivered again: a marker need passes all, and the first is as it was."""
    contact = {"name": "Sample Client", "email": "sample.marker@example.com"}
    marker = await post(platform, {**NEED, "company": "Sample Marker", "contact": contact})
    await until_status(platform, marker, "sent")
    await mail_to(platform, marker, "sample.marker")
    about_first = await platform.mails_about(posted["reference"], "sample.")
    assert len(about_first) == mails
    assert len(await shortlists(platform, posted)) == revisions


async def a_curators_decision_reaches_the_shortlist(platform: Platform) -> None:
    """A name nobody knew becomes a skill: stored texts are read again, and the need is ranked anew."""
    term = "Frobnicate"
    knows, _ = await set_up(
        platform,
        candidate(11, 3, skills=[{"skill": "Python", "level": 3}, {"skill": term, "level": 4}]),
        candidate(12, 3, skills=[{"skill": "Python", "level": 3}, {"skill": term, "level": 1}]),
    )
    asked = [{"skill": "Python", "level": 3}, {"skill": term, "level": 4}]
    posted = await post(platform, {**NEED, "company": "Sample Curated", "skills": asked})
    assert posted["unmapped_skills"] == [term]
    await until_status(platform, posted, "sent")

    listed = await until(lambda: _unmapped(platform, term.lower()))
    assert listed["seen"] >= 2
    skill: Json = {
        "skill_id": "frobnicate",
        "label": {"fr": term, "en": term},
        "category": "framework",
        "aliases": [],
        "implies": [],
        "related": [],
        "broader": None,
    }
    answer = await platform.http.post(f"/api/skills/unmapped/{term.lower()}", json={"new_skill": skill})
    assert answer.status_code == 200, answer.text

    async def ranked_with_it() -> bool:
        newest = (await shortlists(platform, posted))[-1]
        shown = {
            found.skill
            for entry in newest.entries
            if entry.candidate_id == knows
            for part in entry.parts
            for found in part.evidence
        }
        return "frobnicate" in shown

    await until(ranked_with_it, because=lambda: "the new skill is in no explanation")


async def _unmapped(platform: Platform, term: str) -> Json | None:
    answer = await platform.http.get("/api/skills/unmapped")
    assert answer.status_code == 200, answer.text
    return next((item for item in answer.json()["items"] if item["term"] == term), None)
