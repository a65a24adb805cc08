"""Batches of records, read by compiled code, are what the event's model makes of each of them."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from aiokafka import ConsumerRecord
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.matching import kernels
from services.matching.arrivals import Candidates, Changes
from services.matching.blocks import TAIL_ROWS
from services.matching.decoding import Reader
from services.matching.fragments import Batches
from services.matching.index import Index
from services.matching.packing import Packed, Rows, pack
from services.matching.vocabulary import Vocabulary
from shared.events.candidate import CANDIDATES, HeldSkill
from shared.events.wire import decode, encode, encode_tombstone
from shared.metrics import Metrics
from shared.reader import RawRecord
from tests.matching.pieces import candidate
from tests.matching.test_engine import records

tried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

BITS = [*'"\\{}[],: 0-é\n', "", "null", '"years":1,', '"skill":"x"']


@st.composite
def texts(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """(key, value) of a record: now and then a value that something was done to."""
    content: dict[str, Any] = draw(records())
    key, value = str(content["candidate_id"]).encode(), msgspec.json.encode(content)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(value)))
        value = value[:at] + draw(st.sampled_from(BITS)).encode() + value[at + draw(st.integers(0, 2)) :]
    return draw(st.sampled_from([key] * 9 + [b"b"])), value


def row(rows: Rows, at: int) -> list[Any]:
    begin = rows.begins[at]
    numbers = (rows.revisions, rows.traits, rows.places, rows.years, rows.days, rows.prices, rows.tongues)
    content = rows.content[begin : begin + rows.sizes[at]].tobytes()
    return [rows.ids[at], content, *(int(column[at]) for column in numbers)]


@tried
@given(st.lists(texts(), min_size=1, max_size=8), st.booleans())
def test_what_is_read_in_a_batch_is_what_the_events_model_reads(
    given: list[tuple[bytes, bytes]], again: bool
) -> None:
    vocabulary = Vocabulary()
    batches = Batches(vocabulary, Reader())
    for _ in range(1 + again):
        rows, read = batches.read([key for key, _ in given], [value for _, value in given])
        for at, (key, value) in enumerate(given):
            if not read[at]:
                continue
            event = decode(CANDIDATES, key, value, ()).event
            packed = Packed()
            pack(event, packed, vocabulary)
            assert row(rows, at) == row(packed.as_rows(), 0)


def test_what_intake_writes_is_read_in_a_batch() -> None:
    plain = candidate(
        "c1",
        HeldSkill(skill="python", level=3, years=2.5, last_used=2024, mentions=7),
        "sql",
        roles={"back-end-developer": 30},
        region="FR-IDF",
        languages=[{"language": "fr"}, {"language": "en", "level": "C1"}],
        contracts=["freelance", "permanent"],
        day_rate=500,
        available_from="2027-01-01",
        years=4.5,
        remote="full",
        education=5,
    )
    bare = candidate("é" * 12)
    keys, values = zip(*[encode(CANDIDATES, one, source="intake")[:2] for one in (plain, bare)], strict=True)
    _, read = Batches(Vocabulary(), Reader()).read(list(keys), list(values))
    assert read.tolist() == [True, False]


def test_more_can_be_said_than_is_remembered() -> None:
    said = [
        candidate(f"c{at}", HeldSkill(skill=f"skill-{at % 7}", mentions=at), day_rate=1 + at)
        for at in range(100)
    ]
    keys, values = zip(*[encode(CANDIDATES, one, source="intake")[:2] for one in said], strict=True)
    vocabulary = Vocabulary()
    batches = Batches(vocabulary, Reader(), most_learned=40)
    for _ in range(3):
        rows, read = batches.read(list(keys), list(values))
        assert read.all()
        assert [vocabulary.prices.values[code][0] for code in rows.prices.tolist()] == list(range(1, 101))


IDS = [str(uuid.UUID(int=7)), "odd", "é"]
HAPPENS = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.integers(0, 5),
        st.sampled_from(["FR-IDF", "FR-BRE", "erased", "not JSON", "spaced", "no revision", "no key"]),
    ),
    max_size=16,
)


def happened(candidate_id: str, revision: int, what: str) -> RawRecord:
    """A record of a candidate in a region, of one erased, or one that is not as it should be."""
    region = what if what.startswith("FR") else None
    one = candidate(candidate_id, "python", revision=revision, region=region)
    key, value, headers = encode(CANDIDATES, one, source="intake")
    wire: bytes | None = value
    if what == "erased":
        key, wire, headers = encode_tombstone(CANDIDATES, candidate_id, revision, source="intake")
    elif what == "no revision":
        wire, headers = None, ()
    elif what == "not JSON":
        wire = value[:-1]
    elif what == "spaced":
        wire = value.replace(b'":', b'": ')
    return ConsumerRecord(
        CANDIDATES.name, 0, 0, 0, 0, None if what == "no key" else key, wire, None, 0, 0, headers
    )


async def test_rows_wait_at_start_to_be_sorted_in_together_and_none_waits_once_there_are_readers() -> None:
    index = Index()
    batch = [happened(str(uuid.UUID(int=at)), 1, "FR-IDF") for at in range(2 * TAIL_ROWS + 1)]

    def waiting() -> int:
        table = index.columns.view.table
        return int(table[table[:, kernels.SEALED] == 0, kernels.ROWS].sum())

    with ThreadPoolExecutor(1) as writer:
        candidates = Candidates("matching", Metrics(), index, writer, lambda _: None)
        await candidates.apply_batch(batch)
        await candidates.settle()
        assert waiting() > TAIL_ROWS
        await candidates.complete()
    assert waiting() == 0
    assert len(index) == len(batch)


def absorbed(batches: list[list[RawRecord]]) -> tuple[Any, ...]:
    """Everybody, the erased, and who changed or was erased, after these batches."""
    index, whole = Index(), Changes()
    with ThreadPoolExecutor(1) as writer:
        table = Candidates("matching", Metrics(), index, writer, lambda _: None)
        for batch in batches:
            found = table.absorb(batch)
            whole.changed += found.changed
            for revived in found.changed:
                whole.erased.pop(revived, None)
            whole.erased |= found.erased
    everybody = {one: profile.candidate for one, profile in index.profiles.items()}
    return everybody, table.revisions, set(whole.changed), whole.erased


@tried
@given(HAPPENS)
def test_a_batch_does_what_its_records_do_one_by_one(happens: list[tuple[str, int, str]]) -> None:
    given = [happened(*one) for one in happens]
    found = absorbed([given])
    assert found == absorbed([[one] for one in given])
    newest: dict[str, tuple[int, bool]] = {}
    for candidate_id, revision, what in happens:
        if what in ("FR-IDF", "FR-BRE", "spaced", "erased") and revision > newest.get(candidate_id, (-1,))[0]:
            newest[candidate_id] = revision, what == "erased"
    everybody, erased, *_ = found
    assert {one: kept.revision for one, kept in everybody.items()} == {
        one: revision for one, (revision, gone) in newest.items() if not gone
    }
    assert erased == {one: revision for one, (revision, gone) in newest.items() if gone}
