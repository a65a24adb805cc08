"""The references of new needs: each given once, without a write for each."""

import asyncio
import secrets

from services.intake.domain.need import REFERENCE_BLOCKS, references_of
from services.intake.store import NeedStore


class References:
    """Claims a block in the store and gives its references out; what a process leaves of one is lost."""

    def __init__(self, store: NeedStore) -> None:
        self._store = store
        self._left: list[str] = []
        self._filling: asyncio.Task[None] | None = None

    async def next(self) -> str:
        """A reference that no need has or had. Raises what the store raises where it is away."""
        while not self._left:
            if self._filling is None or self._filling.done():
                self._filling = asyncio.create_task(self._fill())
            # One claim for all who wait: where the store is away they hear it together, not one by one.
            await asyncio.shield(self._filling)
        return self._left.pop()

    async def _fill(self) -> None:
        while not await self._store.claim_block(block := secrets.randbelow(REFERENCE_BLOCKS)):
            pass
        references = references_of(block)
        used = await self._store.references_in_use(references)
        left = [one for one in references if one not in used]
        secrets.SystemRandom().shuffle(left)
        self._left += left
