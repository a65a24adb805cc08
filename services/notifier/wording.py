"""Facts of a need and of a ranking in words: a line for the need, the best reasons for a candidate. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.notifier.letterhead import brief, one_line
from services.notifier.words import FACT_WORDS
from shared.events.need import Need
from shared.events.role import Role
from shared.events.shortlist import Entry, Evidence
from shared.events.vocabulary import Language, Locale, Location
from shared.taxonomy import Taxonomy

REASONS = 3
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Wording:
    """One reader's language, and the catalogue's names in it."""

    locale: Locale
    taxonomy: Taxonomy
    roles: Mapping[str, Role]

    def fact(self, key: str, **values: object) -> str:
        return FACT_WORDS[key][self.locale.value].format(**values)

    def name(self, key: str) -> str:
        """The words for a criterion or a value; one that we have none for is shown as it is."""
        return self.fact(key) if key in FACT_WORDS else one_line(key.replace("_", " "))

    def skill(self, skill_id: str) -> str:
        known = self.taxonomy.skills.get(skill_id)
        return one_line(known.label.in_(self.locale)) if known else skill_id

    def role(self, role_id: str) -> str:
        known = self.roles.get(role_id)
        return one_line(known.title.in_(self.locale)) if known else role_id

    def must(self, key: str) -> str:
        """A hard constraint, or the skill that is one (`skill:java` or its id)."""
        skill = key.removeprefix("skill:")
        return (
            self.skill(skill) if skill in self.taxonomy.skills and key not in FACT_WORDS else self.name(key)
        )

    def date(self, day: date) -> str:
        return day_in_words(day, self.locale)

    def place(self, location: Location) -> str:
        region = location.region or location.country
        return f"{brief(location.city, 60)} ({region})" if location.city else region

    def amount(self, whole: int) -> str:
        separator = "\u202f" if self.locale is Locale.FR else ","
        return f"{whole:,}".replace(",", separator)

    def need_line(self, need: Need) -> str:
        """What is asked, skills apart, in one line."""
        facts = self.need_facts(need)
        title = brief(need.title, 150)
        return f"{title} · {facts}" if facts else title

    def need_facts(self, need: Need) -> str:
        """As `need_line`, without the title."""
        parts = [
            self.name(need.seniority.value) if need.seniority else "",
            self.fact("at_least_years", n=need.min_years) if need.min_years else "",
            self.place(need.location) if need.location else "",
            self.name(need.remote.value) if need.remote else "",
            " / ".join(self.name(contract.value) for contract in need.contracts),
            self.fact("from_date", date=self.date(need.start_by)) if need.start_by else "",
            self._budget(need),
            ", ".join(self._language(language) for language in need.languages),
            self.fact("positions", n=need.positions) if need.positions > 1 else "",
        ]
        return " · ".join(part for part in parts if part)

    def _budget(self, need: Need) -> str:
        budget = need.budget
        return self._prices(budget.day_rate, budget.salary, budget.currency) if budget else ""

    def _prices(self, day_rate: int | None, salary: int | None, currency: str) -> str:
        wanted = {"day_rate": day_rate, "salary": salary}
        return " / ".join(
            self.fact(key, amount=self.amount(whole), currency=currency)
            for key, whole in wanted.items()
            if whole
        )

    def _language(self, language: Language) -> str:
        key = f"lang_{language.language}"
        name = self.fact(key) if key in FACT_WORDS else language.language
        return f"{name} {language.level.value}" if language.level else name

    def skills_line(self, need: Need, *, must: bool) -> str:
        return brief(", ".join(self.skill(one.skill) for one in need.skills if one.must is must), 600)

    def reasons(self, entry: Entry) -> list[str]:
        """The pieces of evidence that brought most points, each as one line."""
        worked = {one.via or one.role for part in entry.parts for one in part.evidence if one.months}
        found: list[tuple[float, str]] = []
        for part in entry.parts:
            for one in part.evidence:
                # A title is told with its months where they are known.
                twice = one.role in worked and not one.months
                if not twice and _speaks_for(one):
                    found.append((part.weight * (one.share or 0), self.evidence(part.criterion, one)))
        found.sort(key=lambda line: -line[0])
        return [brief(text, 160) for text in dict.fromkeys(text for _, text in found)][:REASONS]

    def evidence(self, criterion: str, one: Evidence) -> str:
        """`Python: 6 years, last used 2026, 7 mentions`."""
        if one.asked == "profile" and one.found and "/" in one.found:
            have, _, of = one.found.partition("/")
            return self.fact("profile_share", n=have, of=of)
        subject, details = self._subject(criterion, one), self._details(criterion, one)
        return f"{subject}{_colon(self.locale)}{details}" if details else subject

    def _subject(self, criterion: str, one: Evidence) -> str:
        if one.skill:
            asked = self.skill(one.skill)
            stand_in = one.via if one.via != one.skill else None
            return self.fact("via", asked=asked, via=self.skill(stand_in)) if stand_in else asked
        if one.role:
            return self.fact("neighbour", role=self.role(one.via)) if one.via else self.role(one.role)
        return self.name(criterion)

    def _details(self, criterion: str, one: Evidence) -> str:
        parts = []
        if one.years:
            whole = round(one.years)
            parts.append(self.fact("years_one") if whole <= 1 else self.fact("years_many", n=whole))
        if one.months:
            parts.append(self._duration(one.months))
        if one.last_used:
            parts.append(self.fact("last_used", year=one.last_used))
        if one.mentions:
            parts.append(
                self.fact("mentions_one") if one.mentions == 1 else self.fact("mentions_many", n=one.mentions)
            )
        if one.level:
            parts.append(self.fact("level_estimated" if one.estimated else "level", n=one.level))
        if one.found:
            found, asked = self._value(criterion, one.found), self._value(criterion, one.asked or one.found)
            parts.append(found if asked == found else self.fact("asked_for", found=found, asked=asked))
        return ", ".join(parts)

    def _duration(self, months: int) -> str:
        """Years from two on, rounded to a half."""
        halves = round(months / 6)
        if months < 24:
            return self.fact("months", n=months)
        number = f"{halves / 2:g}"
        return self.fact("years_many", n=number.replace(".", ",") if self.locale is Locale.FR else number)

    def _value(self, criterion: str, text: str) -> str:
        """A ranking's codes in words; what is no code of a known kind is shown as it is."""
        try:
            if criterion == "start_by":
                return self.date(date.fromisoformat(text))
            if criterion == "min_years":
                whole = round(float(text))
                return self.fact("years_one") if whole == 1 else self.fact("years_many", n=whole)
            if criterion == "budget":
                prices, currency = text.split(" ")
                day_rate, salary = (None if price == "-" else int(price) for price in prices.split("/"))
                return self._prices(day_rate, salary, currency)
        except ValueError:
            return one_line(text)
        return ", ".join(self.name(one.strip()) for one in text.split(","))


def day_in_words(day: date, locale: Locale) -> str:
    if locale is Locale.FR:
        return day.strftime("%d/%m/%Y")
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _speaks_for(one: Evidence) -> bool:
    """Half of a criterion is what an unknown fact earns, less what a misfit does: neither is a reason."""
    if one.skill or one.role:
        return bool(one.share)
    return bool(one.found) and (one.asked == "profile" or (one.share or 0) > 0.5)


def _colon(locale: Locale) -> str:
    return "\u00a0: " if locale is Locale.FR else ": "
