"""A need's reference: readable on the phone, and given to one need alone."""

import asyncio
import random
import re

from services.intake.domain.need import REFERENCE_BLOCKS, references_of
from services.intake.references import References
from services.intake.store import NeedStore
from shared.run import Surroundings


def test_no_two_blocks_share_a_reference() -> None:
    blocks = [0, 1, REFERENCE_BLOCKS - 1, *random.sample(range(2, REFERENCE_BLOCKS - 1), 40)]
    references = [reference for block in blocks for reference in references_of(block)]
    assert len(references) == len(set(references)) == 900 * len(blocks)
    assert all(re.fullmatch(r"N-[2-9A-HJKMNP-TV-Z]{6}", reference) for reference in references)


def test_references_of_one_day_do_not_look_alike() -> None:
    block = references_of(random.randrange(REFERENCE_BLOCKS))
    alike = [
        (one, other)
        for one in block[:60]
        for other in block
        if one < other and sum(a != b for a, b in zip(one, other, strict=True)) < 2
    ]
    assert not alike


async def test_replicas_give_each_reference_once_and_none_that_is_in_use(given: Surroundings) -> None:
    store = NeedStore(given.mongo("intake"))
    replicas = [References(store), References(store)]
    given_out = await asyncio.gather(*(replica.next() for replica in replicas for _ in range(1000)))
    assert len(set(given_out)) == 2000
    block = REFERENCE_BLOCKS // 2
    noted, claimed, free = references_of(block)[:3]
    await store.collection.insert_one({"_id": "n", "reference": noted})
    await store.references.insert_one({"_id": claimed, "need_id": "erased since"})
    assert await store.references_in_use([noted, claimed, free]) == {noted, claimed}
    assert await store.claim_block(block)
    assert not await store.claim_block(block), "another replica gives these out"
