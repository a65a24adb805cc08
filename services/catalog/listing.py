"""What the list of roles offers beside the roles: its families, and a way on from an empty search."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode

from services.catalog.view import Shown
from services.catalog.words import FAMILIES, WORDS, name_of
from shared.events.role import Role
from shared.events.vocabulary import Locale

LISTS = {Locale.FR: "/fr/metiers", Locale.EN: "/roles"}
SUGGESTIONS = 6


def query_string(query: str, family: str) -> str:
    """What stands behind the list's address, from `?` on."""
    given = {name: value for name, value in (("q", query), ("family", family)) if value}
    return "?" + urlencode(given) if given else ""


def families(
    found: Sequence[Role], query: str, family: str, locale: Locale
) -> list[tuple[str, str, int, bool]]:
    """(address, name, count, chosen): all of what was found, the chosen family, then the others by name.

    A phone shows them on one line that scrolls: what is chosen stays in sight.
    """
    counts = Counter(role.family for role in found)
    if family:
        counts.setdefault(family, 0)
    named = [(name_of(FAMILIES, each, locale), each) for each in counts]
    choices = [(WORDS["all_families"][locale.value], "", len(found))]
    choices += [
        (name, each, counts[each]) for name, each in sorted(named, key=lambda each: (each[1] != family, each))
    ]
    return [
        (LISTS[locale] + query_string(query, each), name, count, each == family)
        for name, each, count in choices
    ]


def suggested(shown: Shown, query: str, kept: Sequence[Role]) -> list[Role]:
    """For a search without result: what one of its words finds, else the roles that others name most."""
    if kept:
        return []
    close = {role.role_id: role for word in query.split() for role in shown.find_roles(word)[:SUGGESTIONS]}
    named = Counter(
        other
        for role in shown.roles.values()
        for other in (*role.contacts, *(each.role for each in role.related))
    )
    for role_id, _ in sorted(named.items(), key=lambda each: (-each[1], each[0])):
        if len(close) >= SUGGESTIONS:
            break
        if role_id in shown.roles:
            close.setdefault(role_id, shown.roles[role_id])
    return list(close.values())[:SUGGESTIONS]
