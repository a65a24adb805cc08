"""Changing a consultant, and what follows: whoever leaves or pauses keeps no open need."""

from dataclasses import dataclass

from services.notifier.casework import Casework
from services.notifier.consultants import Consultant, ConsultantFields, Delivery
from services.notifier.hours import utc_now
from services.notifier.store import Store
from services.notifier.store_addresses import hashed


class LastAdmin(Exception):  # noqa: N818 - why it is not done
    """Without this one nobody could administer consultants on the desk."""


@dataclass
class Staff:
    store: Store
    casework: Casework

    async def change(
        self, before: Consultant, fields: ConsultantFields, *, active: bool
    ) -> Consultant | None:
        """The consultant as changed; None where somebody else changed it since `before` was read.

        Raises EmailTaken.
        """
        after = await self.store.change_consultant(before, fields, active=active)
        if after is not None:
            # Sign-in links go to the address as such, and may have come back when no need's mail has.
            await self.store.addresses.lift(hashed(after.email), after.consultant_id, utc_now())
        if after is not None and (not after.active or after.delivery is Delivery.PAUSED):
            await self.casework.pass_on_all(after)
        return after

    async def keep_an_admin(self, before: Consultant, *, admin: bool) -> None:
        """Raises LastAdmin where `before` would be an active administrator no more, and nobody else is."""
        if admin or not (before.admin and before.active):
            return
        others = await self.store.consultants(active_only=True)
        if not any(one.admin for one in others if one.consultant_id != before.consultant_id):
            raise LastAdmin


def fields_of(consultant: Consultant) -> ConsultantFields:
    """What may be set, as it is."""
    return ConsultantFields(**consultant.model_dump(include=set(ConsultantFields.model_fields)))
