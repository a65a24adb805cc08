"""The main job once, over HTTP as people do it: made-up candidates, a need through the portal's form, a mail.

Prints what happened as text for a person. Every step that fails says which hop, and why.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx

from services import sample_data
from shared.settings import Settings
from shared.tokens import Tokens
from shared.web.access import KEY_PURPOSE

if TYPE_CHECKING:
    from shared.embedded import CaughtMail, EmbeddedSmtp

CANDIDATES = 600
START_SECONDS = 60
HOP_SECONDS = 20
Json = dict[str, Any]


class HopFailed(Exception):  # noqa: N818 - what the person reads
    """A step of the path did not happen; the message names it and says why."""


class Demo:
    """Talks to the running services. `missing` says what keeps them from being ready."""

    def __init__(
        self, settings: Settings, tokens: Tokens, missing: Callable[[], dict[str, dict[str, str]]]
    ) -> None:
        self._settings = settings
        self._missing = missing
        key = tokens.issue(KEY_PURPOSE, "sample", lifetime=timedelta(hours=1), scopes=["*"])
        self._http = httpx.AsyncClient(
            base_url=f"http://{_in_url(settings.host)}:{settings.port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
            trust_env=False,
        )

    async def greet(self, *, sample: bool) -> None:
        """`make run`: wait until all is ready, add the sample, say where to look."""
        base = self._settings.public_url
        try:
            await self._until_ready()
            if sample:
                await self._load_sample()
            state = "Ready."
        except (HopFailed, httpx.HTTPError) as problem:
            state = f"Not all is ready: {problem or type(problem).__name__}\nIt goes on trying."
        _say(f"""
{state} Ctrl-C stops it.
  {base}/roles/back-end-developer   a role sheet; "Tell us about your needs" opens the form
  {base}/desk                       the consultants' desk: sign in as sample.consultant.1@example.com
  {base}/mail                       the mails that were caught (the sign-in link too), or where they went
  {base}/readyz                     what each service waits for; /metrics beside it
""")

    async def show(self, mailbox: "EmbeddedSmtp | None") -> int:
        """`make demo`: the whole path. Returns the exit status."""
        try:
            await self._until_ready()
            await self._load_sample()
            story = await self._one_need(mailbox)
        except (HopFailed, httpx.HTTPError) as problem:
            _say(f"\nFAILED: {problem or type(problem).__name__}")
            return 1
        finally:
            await self._http.aclose()
        _print_story(story, self._settings)
        return 0

    async def _until_ready(self) -> None:
        _progress("starting catalog, intake, matching, notifier")
        await self._until(
            lambda: not self._missing(),
            START_SECONDS,
            lambda: "the services are not ready: " + json.dumps(self._missing()),
        )
        _done()

    async def _load_sample(self) -> None:
        roles = await self._all("/api/roles")
        labels = {skill["skill_id"]: skill["label"]["en"] for skill in await self._all("/api/skills")}
        _progress(f"{len(roles)} role sheets, {len(labels)} skills; adding 6 consultants")
        for consultant in sample_data.consultants():
            answer = await self._http.post("/api/consultants", json=consultant)
            if answer.status_code not in {200, 201, 409}:
                raise HopFailed(f"POST /api/consultants answered {answer.status_code}: {answer.text[:300]}")
        _done()
        people = sample_data.candidates(roles, labels, CANDIDATES, datetime.now(UTC).date())
        _progress(f"adding {len(people)} made-up candidates")
        for start in range(0, len(people), 200):
            await self._add_candidates(people[start : start + 200])
        ranked = await self._until(
            self._all_indexed, HOP_SECONDS, lambda: "the candidates did not reach the index"
        )
        _done(f"{ranked} in the index")

    async def _add_candidates(self, people: list[Json]) -> None:
        lines = "\n".join(json.dumps(person) for person in people)
        answer = await self._http.post(
            "/api/candidates/batch", content=lines, headers={"Content-Type": "application/x-ndjson"}
        )
        if answer.status_code != 200:
            raise HopFailed(f"POST /api/candidates/batch answered {answer.status_code}: {answer.text[:300]}")
        refused = [line for line in answer.text.splitlines() if "candidate_id" not in json.loads(line)]
        if refused:
            raise HopFailed(f"{len(refused)} candidates were refused, the first with {refused[0][:300]}")

    async def _all_indexed(self) -> int:
        answer = await self._http.post("/api/rank", json={"need": {"title": "any"}, "limit": 1})
        if answer.status_code != 200:
            return 0
        candidates = int(answer.json()["index"]["candidates"])
        return candidates if candidates >= CANDIDATES else 0

    async def _one_need(self, mailbox: "EmbeddedSmtp | None") -> "Story":
        _progress("a client fills in the form of the back-end developer")
        need_id, token, posted_at = await self._post_form()
        _done(f"need {need_id}")
        _progress("waiting for the shortlist and the mails")
        need = await self._until(
            lambda: self._need_if_sent(need_id, token),
            HOP_SECONDS,
            lambda: "no shortlist was mailed: see the log above, and /readyz",
        )
        answer = await self._http.get(f"/api/shortlists/{need_id}")
        if answer.status_code != 200:
            raise HopFailed(f"GET /api/shortlists/… answered {answer.status_code}: {answer.text[:300]}")
        mails: list[CaughtMail] = []
        if mailbox is not None:
            mails = await self._until(
                lambda: _mails_since(mailbox, posted_at),
                HOP_SECONDS,
                lambda: "the relay accepted no mail",
            )
        _done(f"{len(mails)} mails" if mailbox else "")
        return Story(posted_at, need, answer.json(), mails)

    async def _post_form(self) -> tuple[str, str, datetime]:
        """Fill in and send the portal's form as a browser would. (need_id, tracking token, when)."""
        page = await self._http.get("/needs/new", params={"role": "back-end-developer", "lang": "fr"})
        if page.status_code != 200:
            raise HopFailed(f"GET /needs/new answered {page.status_code}")
        form = FormReader.read(page.text)
        fields = form.filled_with(sample_data.form(datetime.now(UTC).date()))
        posted_at = datetime.now(UTC)
        answer = await self._http.post(
            form.action,
            data=fields,
            headers={"Origin": str(self._http.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"},
        )
        if answer.status_code != 303:
            raise HopFailed(f"the form was answered with {answer.status_code}: {_errors(answer.text)}")
        target = urlsplit(answer.headers["location"])
        token = parse_qs(target.query)["t"][0]
        return target.path.rsplit("/", 1)[-1], token, posted_at

    async def _need_if_sent(self, need_id: str, token: str) -> Json | None:
        answer = await self._http.get(f"/api/needs/{need_id}", params={"t": token})
        if answer.status_code != 200:
            raise HopFailed(f"GET /api/needs/… answered {answer.status_code}: {answer.text[:300]}")
        need: Json = answer.json()
        if need["status"] == "no_match":
            raise HopFailed("nobody was eligible for the sample need")
        return need if need["status"] == "sent" else None

    async def _all(self, path: str) -> list[Json]:
        items: list[Json] = []
        after: str | None = None
        while True:
            params: dict[str, str] = {"limit": "500"} | ({"after": after} if after else {})
            answer = await self._http.get(path, params=params)
            if answer.status_code != 200:
                raise HopFailed(f"GET {path} answered {answer.status_code}: {answer.text[:300]}")
            items += answer.json()["items"]
            after = answer.json()["next"]
            if after is None:
                return items

    async def _until(self, condition: Callable[[], Any], seconds: float, because: Callable[[], str]) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            answer = condition()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise HopFailed(because())
            await asyncio.sleep(0.02)


class Story:
    """What happened to one need, for printing."""

    def __init__(self, posted_at: datetime, need: Json, shortlist: Json, mails: "list[CaughtMail]") -> None:
        self.posted_at = posted_at
        self.need = need
        self.shortlist = shortlist
        self.mails = mails

    def hops(self) -> list[tuple[str, datetime]]:
        """(what, when) in order; the first is the moment the form was sent."""
        at = {entry["event"]: datetime.fromisoformat(entry["at"]) for entry in self.need["timeline"]}
        hops = [("form sent", self.posted_at)]
        hops += [(name, at[name]) for name in ("received", "published", "matched") if name in at]
        to_consultant = self.mail_to("sample.consultant")
        if to_consultant is not None:
            hops.append(("mailed to the consultant", to_consultant.accepted_at))
        elif "sent" in at:
            hops.append(("mailed to the consultant", at["sent"]))
        return hops

    def mail_to(self, start: str) -> "CaughtMail | None":
        return next((mail for mail in self.mails if mail.recipients[0].startswith(start)), None)


class FormReader(HTMLParser):
    """Reads the last form that posts: its action, and its fields with what they are prefilled with."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.prefilled: list[tuple[str, str]] = []
        self.names: set[str] = set()
        self._inside = False
        self._select: str | None = None
        self._selected = False

    @classmethod
    def read(cls, page: str) -> "FormReader":
        form = cls()
        form.feed(page)
        if not form.action:
            raise HopFailed("the page of the form holds no form")
        return form

    def filled_with(self, values: dict[str, list[str]]) -> dict[str, list[str]]:
        """The fields to send: `values` in place of what they were prefilled with."""
        if unknown := set(values) - self.names:
            raise HopFailed(f"the form has no field {', '.join(sorted(unknown))}")
        fields: dict[str, list[str]] = {}
        for name, value in self.prefilled:
            fields.setdefault(name, []).append(value)
        return fields | values

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("method", "").lower() == "post"
            if self._inside:
                self.action, self.prefilled, self.names = given.get("action", ""), [], set()
        if not self._inside:
            return
        name = given.get("name", "")
        if tag in {"input", "select", "textarea"} and name:
            self.names.add(name)
        if tag == "input" and name and ("checked" in given or given.get("type") not in {"checkbox", "radio"}):
            self.prefilled.append((name, given.get("value", "on")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            if "value" in given:
                self.prefilled.append((self._select, given["value"]))
            self._selected = "value" not in given

    def handle_data(self, data: str) -> None:
        if self._selected and self._select:
            self.prefilled.append((self._select, data.strip()))
            self._selected = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = None


def _in_url(host: str) -> str:
    """IPv6 addresses stand in brackets (RFC 3986)."""
    return f"[{host}]" if ":" in host else host


def _mails_since(mailbox: "EmbeddedSmtp", posted_at: datetime) -> "list[CaughtMail] | None":
    """The mails of this run once both the client and a consultant have got one."""
    mails = [mail for mail in mailbox.mails if mail.accepted_at >= posted_at]
    to_client = any(mail.recipients[0].startswith("sample.client") for mail in mails)
    return mails if to_client and len(mails) > 1 else None


def _errors(page: str) -> str:
    """The messages of a form page that was answered with errors."""
    parts = page.split('class="error"')[1:]
    return "; ".join(part.partition(">")[2].partition("<")[0] for part in parts) or page[:200]


def _print_story(story: Story, settings: Settings) -> None:
    _print_hops(story)
    _print_shortlist(story.shortlist)
    mail = story.mail_to("sample.consultant")
    if mail is not None:
        _print_mail(mail.message)
    elif not story.mails:
        _say(f"\nThe mails went to the relay at {settings.smtp_host}:{settings.smtp_port}.")
    _say("""
What to try next
  make run          the same services, staying up: the role page, the form, the status page, /mail
  make test         what only needs Python; make test-engines: real Kafka and a MongoDB wire server
  README.md         configuration, where things are, how to add a field to an event""")


def _print_hops(story: Story) -> None:
    hops = story.hops()
    start = hops[0][1]
    _say(f"\nNeed {story.need['reference']}: {story.need['title']}, {story.need['company']}\n")
    _say(f"  {'hop':<26}{'since the form':>16}{'this hop':>12}")
    previous = start
    for name, at in hops:
        total, own = (at - start).total_seconds() * 1000, (at - previous).total_seconds() * 1000
        _say(f"  {name:<26}{total:>13.0f} ms{own:>9.0f} ms")
        previous = at


def _print_shortlist(shortlist: Json) -> None:
    _say(
        f"\nShortlist: {len(shortlist['entries'])} of {shortlist['eligible']} eligible, "
        f"{shortlist['candidates']} candidates in all\n"
    )
    for rank, entry in enumerate(shortlist["entries"], start=1):
        _say(
            f"  {rank:>2}. {entry['candidate_id'][-6:]}  score {entry['score']:5.1f}   "
            f"musts covered {entry['must_coverage']:.0%}"
        )
        if rank <= 3:
            _print_entry(entry)


def _print_entry(entry: Json) -> None:
    for part in entry["parts"]:
        shown = ", ".join(filter(None, (_evidence(found) for found in part.get("evidence", []))))
        _say(f"        {part['points']:6.2f}  {part['criterion']:<14} {part['value']:.2f} of 1   {shown}")
    for gap in entry["gaps"][:3]:
        _say(f"        ask: {gap['question']['en']}")


def _evidence(found: Json) -> str:
    """One piece of evidence in a few words: `python 4/4`, `flask for django`."""
    name = found.get("skill") or found.get("role") or found.get("found") or ""
    level = f" {found['level']}/{found['asked']}" if found.get("level") and found.get("asked") else ""
    via = f" through {found['via']}" if found.get("via") else ""
    months = f" {found['months']} months" if found.get("months") else ""
    return f"{name}{level}{via}{months}"


def _print_mail(message: EmailMessage) -> None:
    _say("\nThe consultant's mail\n")
    for name, value in message.items():
        _say(f"  {name}: {value}")
    body = message.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    _say("")
    for line in text.splitlines():
        _say(f"  | {line}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _progress(text: str) -> None:
    sys.stdout.write(f"- {text} ... ")
    sys.stdout.flush()


def _done(text: str = "") -> None:
    _say(text or "ok")
