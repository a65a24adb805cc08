"""How long data are kept: candidates without contact and closed needs go, as the privacy page announces.

A candidate who can be reached is told a month before. Nobody who was not told is erased, however long the
service was away; who cannot be told (no address) is erased when the time is up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.intake.needs import Changed, Needs
from services.intake.rights import BATCH, ERASE, KEEP, SEE, Rights, locale_of
from services.intake.settings import IntakeSettings
from services.intake.store import Document, now
from shared.log import get_logger

_LINKS = timedelta(days=60)


@dataclass
class Retention:
    rights: Rights
    needs: Needs
    settings: IntakeSettings
    clock: Callable[[], datetime] = now

    async def run_once(self) -> None:
        """Warn who is to be erased soon, erase who is due; each step may be stopped and run again."""
        await self.rights.store.date_contacts()
        await self._warn()
        await self._erase_candidates()
        await self._erase_needs()

    async def _warn(self) -> None:
        moment = self.clock()
        soon = months_before(
            moment + timedelta(days=self.settings.warning_days), self.settings.candidate_months
        )
        while batch := await self.rights.store.to_warn(soon, BATCH):
            for document in batch:
                await self._warn_one(document, moment)

    async def _warn_one(self, document: Document, moment: datetime) -> None:
        candidate_id, warned = document["_id"], {"warned_at": moment}
        if (document["given"] or {}).get("email") is not None:
            until = moment + timedelta(days=self.settings.warning_days)
            ends = max(
                until.date(), months_after(document["contacted_at"], self.settings.candidate_months).date()
            )
            locale = locale_of(document)
            arguments = {
                "until": ends.isoformat(),
                "keep_url": self.rights.rights_url(candidate_id, locale, SEE, KEEP, lifetime=_LINKS),
                "erase_url": self.rights.rights_url(candidate_id, locale, SEE, ERASE, lifetime=_LINKS),
            }
            occasion = document["contacted_at"].date().isoformat()
            await self.rights.write("retention_warning", document, arguments, occasion)
        else:
            # Nobody can be told: the wait is not for a letter, and ends with the two years.
            warned = {"warned_at": moment - timedelta(days=self.settings.warning_days)}
        await self.rights.store.set_aside(candidate_id, warned)

    async def _erase_candidates(self) -> None:
        moment = self.clock()
        since = months_before(moment, self.settings.candidate_months)
        told = moment - timedelta(days=self.settings.warning_days) + timedelta(seconds=1)
        erased = 0
        while batch := await self.rights.store.due(since, told, BATCH):
            for document in batch:
                try:
                    await self.rights.candidates.erase(document)
                except Changed:
                    continue  # it is looked at anew with the next batch
                erased += 1
        if erased:
            get_logger("intake").info("retention_ended", candidates=erased)

    async def _erase_needs(self) -> None:
        before = months_before(self.clock(), self.settings.need_months)
        while batch := await self.rights.store.closed_needs(before, BATCH):
            for document in batch:
                await self._erase_need(document)
            self.rights.soon()

    async def _erase_need(self, document: Document) -> None:
        stamp = self.needs.outbox.stamp(document)
        email = document["need"].get("contact", {}).get("email")
        if email is not None:
            await self.rights.letters.forget(email)
        if await self.needs.store.erase(document, stamp):
            self.needs.outbox.publish_soon(document["_id"])
            self.needs.metrics.needs.labels("intake", "erased").inc()


def months_before(moment: datetime, months: int) -> datetime:
    return _moved(moment, -months)


def months_after(moment: datetime, months: int) -> datetime:
    return _moved(moment, months)


def _moved(moment: datetime, months: int) -> datetime:
    """The same day of another month, or that month's last day."""
    count = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(count, 12)
    first_after = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (first_after - timedelta(days=1)).day
    return moment.astimezone(UTC).replace(year=year, month=month + 1, day=min(moment.day, last))
