"""Turning names that intake could not place into aliases or skills, written as any other change is."""

import asyncio
import difflib
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints, model_validator

from services.catalog.domain import content, etag, names_of
from services.catalog.editing import Conditions, Editor
from services.catalog.store import SKILL
from services.catalog.terms import State, TermStore
from services.catalog.view import Shown, View
from shared.events.skill import Skill
from shared.events.unmapped import UNMAPPED, UnmappedTerm
from shared.outbox import Document
from shared.table import read_to_end
from shared.taxonomy import loose
from shared.web.problems import Problem, field_problem, not_found

LOOK_SECONDS = 5.0
SUGGESTIONS = 4
_TRIES = 3
_CHANGED_MEANWHILE = 412


class Decision(BaseModel):
    """What a curator makes of a term: exactly one of the three.

    `new_skill` is a skill as PUT takes it; its id and labels are made from the term where they are left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    alias_of: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None
    new_skill: dict[str, JsonValue] | None = None
    ignore: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> "Decision":
        if (self.alias_of is not None) + (self.new_skill is not None) + self.ignore != 1:
            raise ValueError("give exactly one of alias_of, new_skill and ignore")
        return self


@dataclass
class Curation:
    """The terms, and what may be done with them."""

    terms: TermStore
    view: View
    editor: Editor
    _closed_at: str = field(default="", init=False)
    """The version of the catalogue that all open terms were held against last."""

    async def note(self, event: UnmappedTerm) -> None:
        """Count a term; one that the catalogue knows is closed, one that it knows no more is open again."""
        document = await self.terms.note(event)
        if document is None:
            return
        shown = await self.view.shown()
        if document["state"] == State.OPEN and (known := _known(event.term, shown)):
            await self.terms.decide(event.term, *known, by=None)
        elif document["state"] in {State.ALIAS, State.SKILL} and not _known(event.term, shown):
            await self.terms.decide(event.term, State.OPEN, None, by=None)

    async def rebuild(self, bootstrap: str) -> None:
        """Count again what the stream still has, after the store was emptied: its consumer is past that."""
        if await self.terms.is_empty():
            for record in (await read_to_end(bootstrap, UNMAPPED)).values():
                if record.event is not None:
                    await self.note(record.event)

    async def close_known(self) -> None:
        """Close the open terms that the catalogue has come to know, in whatever way it did."""
        shown = await self.view.shown()
        if shown.version == self._closed_at:
            return
        for term in await self.terms.all_open():
            if known := _known(term, shown):
                await self.terms.decide(term, *known, by=None)
        self._closed_at = shown.version

    async def run(self) -> None:
        """Close what became known, every few seconds until cancelled."""
        while True:
            if not self.view.missing:
                await self.close_known()
            await asyncio.sleep(LOOK_SECONDS)

    async def suggestions(self, term: str) -> list[Skill]:
        """The skills whose names come nearest to the term, or where none does, to its longest words."""
        shown = await self.view.shown()
        found = shown.find_skills(term)
        for word in sorted(loose(term).split(), key=len, reverse=True)[:2] if not found else []:
            found += [skill for skill in shown.find_skills(word)[:2] if skill not in found]
        return found[:SUGGESTIONS]

    async def decide(self, term: str, decision: Decision, by: str) -> Document:
        """Carry a decision out; the term as it is then. Raises problems: 404, 412, 422, with pointers."""
        if await self.terms.find(term) is None:
            raise not_found("term")
        if decision.alias_of is not None:
            await self._add_alias(term, decision.alias_of, by)
            await self.terms.decide(term, State.ALIAS, decision.alias_of, by)
        elif decision.new_skill is not None:
            made = await self._make_skill(term, decision.new_skill, by)
            await self.terms.decide(term, State.SKILL, made, by)
        else:
            await self.terms.decide(term, State.IGNORED, None, by)
        decided = await self.terms.find(term)
        if decided is None:
            raise not_found("term")
        return decided

    async def _add_alias(self, term: str, skill_id: str, by: str) -> None:
        for attempt in range(1, _TRIES + 1):
            shown = await self.view.refresh()
            skill = shown.skills.get(skill_id)
            if skill is None:
                close = difflib.get_close_matches(skill_id, shown.skills, n=1)
                hint = f"; is it {close[0]!r}?" if close else ""
                raise field_problem(("/alias_of", f"there is no skill {skill_id!r}{hint}"))
            if loose(term) in {loose(name) for _, name in names_of(skill)}:
                return
            body = {**content(skill), "aliases": [*skill.aliases, term]}
            try:
                conditions = Conditions(etag(skill.revision), None)
                await self._put(skill_id, body, conditions, by, lambda _: "/alias_of")
            except Problem as problem:
                if problem.status != _CHANGED_MEANWHILE or attempt == _TRIES:
                    raise
            else:
                return

    async def _make_skill(self, term: str, sent: dict[str, JsonValue], by: str) -> str:
        label = sent.get("label", {"fr": term, "en": term})
        skill_id = sent.get("skill_id", slug_of(term))
        if not isinstance(skill_id, str) or slug_of(skill_id) != skill_id or not skill_id:
            raise field_problem(("/new_skill/skill_id", "is lower-case letters, digits and single hyphens"))
        body: dict[str, JsonValue] = {**sent, "label": label, "skill_id": skill_id}
        aliases, names = sent.get("aliases", []), [skill_id]
        names += [name for name in label.values() if isinstance(name, str)] if isinstance(label, dict) else []
        if isinstance(aliases, list) and loose(term) not in {loose(str(name)) for name in [*names, *aliases]}:
            body["aliases"] = [*aliases, term]
        await self._put(skill_id, body, Conditions(None, "*"), by, lambda pointer: f"/new_skill{pointer}")
        return skill_id

    async def _put(
        self,
        skill_id: str,
        body: dict[str, Any],
        conditions: Conditions,
        by: str,
        pointer_for: Callable[[str], str],
    ) -> None:
        """As PUT, with the problem's pointers turned into those of the decision."""
        try:
            await self.editor.put(SKILL, skill_id, json.dumps(body).encode(), conditions, by)
        except Problem as problem:
            for error in problem.body.get("errors", []):
                error["pointer"] = pointer_for(error["pointer"])
            raise


def slug_of(text: str) -> str:
    """An id made from a name: `Développement C++` gives `developpement-c-plus-plus`; may be empty."""
    spelt = text.casefold().replace("+", " plus ").replace("#", " sharp ").replace("&", " and ")
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-")


def _known(term: str, shown: Shown) -> tuple[State, str] | None:
    """(state, skill) of a term that the catalogue knows: as a skill's id or label, or as an alias."""
    skill_id = shown.taxonomy.resolve(term)
    if skill_id is None:
        return None
    label = shown.skills[skill_id].label
    own = {loose(name) for name in (skill_id, label.fr, label.en)}
    return State.SKILL if loose(term) in own else State.ALIAS, skill_id
