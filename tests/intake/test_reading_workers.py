"""Reading in processes of their own: limits, replacement, and an event loop that stays free."""

import asyncio
import os
import random
import signal
import zipfile
from collections.abc import AsyncIterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from services.intake.domain.lexicon import Lexicon
from services.intake.reading.cv import CvReader
from services.intake.reading.found import Unreadable, UnreadableKind
from services.intake.reading.worker import __name__ as worker_module
from services.intake.reading.workers import INLINE_CHARACTERS, CvWorkers, ReadingLimits
from shared.events.skill import Skill
from shared.taxonomy import RoleNames, Taxonomy
from tests.intake.cvs.making import one_column
from tests.intake.support import ROLE_EVENTS, SKILL_EVENTS, with_alias
from tests.support import WAIT_SECONDS, until

TODAY = date(2026, 11, 23)
LONG = ("Java, Python (5 ans) ; expert en Docker, jamais utilisé Docker. 2019-2020 : développeur\n" * 4000)[
    :199_000
]
PDF = one_column(
    "# Sample Person\nExperience\nBack-end developer, Acme, 2019 - 2021\nServices in Python, Moby"
)


def a_lexicon(version: str = "1-a", skills: tuple[Skill, ...] = SKILL_EVENTS) -> Lexicon:
    taxonomy = Taxonomy({one.skill_id: one for one in skills}, version)
    roles = {one.role_id: one for one in ROLE_EVENTS}
    return Lexicon(taxonomy, roles, RoleNames(roles), CvReader(taxonomy, roles))


LEXICON = a_lexicon()


@pytest.fixture
async def workers() -> AsyncIterator[CvWorkers]:
    # However busy the machine: what may take too long is a test of its own.
    found = CvWorkers(ReadingLimits(workers=1, seconds=3 * WAIT_SECONDS))
    yield found
    await found.close()
    await until(lambda: not running_workers())


def running_workers() -> list[int]:
    """The ids of this process's worker processes that are alive."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().split(b"\0")
            state, parent = (path / "stat").read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if worker_module.encode() in command and int(parent) == os.getpid() and state != "Z":
            found.append(int(path.name))
    return found


async def test_a_file_reads_as_its_text_does(workers: CvWorkers) -> None:
    document, reading = await workers.read_file(PDF, LEXICON, TODAY)
    assert reading == LEXICON.cv.read(document.text, TODAY)
    assert [(post.role, post.months) for post in reading.posts] == [("back-end-developer", 24)]
    assert "python" in {one.skill for one in reading.skills}


async def test_a_short_text_starts_no_process_and_a_long_one_reads_alike(workers: CvWorkers) -> None:
    assert await workers.read_text("Expert in Python", LEXICON, TODAY) == LEXICON.cv.read(
        "Expert in Python", TODAY
    )
    assert running_workers() == []
    long = "Python services. " * INLINE_CHARACTERS
    assert await workers.read_text(long, LEXICON, TODAY) == LEXICON.cv.read(long, TODAY)
    [first] = running_workers()
    await workers.read_text(long, LEXICON, TODAY)
    assert running_workers() == [first]


async def test_a_new_catalogue_is_learnt_by_a_warm_worker(workers: CvWorkers) -> None:
    _, before = await workers.read_file(PDF, LEXICON, TODAY)
    newer = a_lexicon("2-b", with_alias("docker", "moby"))
    _, after = await workers.read_file(PDF, newer, TODAY)
    assert {one.skill for one in after.skills} - {one.skill for one in before.skills} == {"docker"}
    _, again = await workers.read_file(PDF, LEXICON, TODAY)
    assert again == before


async def test_an_unreadable_file_leaves_the_worker_as_it_was(workers: CvWorkers) -> None:
    with pytest.raises(Unreadable) as refused:
        await workers.read_file(b"%PDF-1.7 rubbish", LEXICON, TODAY)
    assert refused.value.kind is UnreadableKind.BROKEN
    [first] = running_workers()
    await workers.read_file(PDF, LEXICON, TODAY)
    assert running_workers() == [first]


async def test_what_takes_too_long_is_refused_and_its_worker_replaced() -> None:
    workers = CvWorkers(ReadingLimits(seconds=0.4, workers=1))
    try:
        with pytest.raises(Unreadable) as refused:
            await workers.read_file(LONG.encode(), LEXICON, TODAY)
        assert refused.value.kind is UnreadableKind.TIMED_OUT
        assert running_workers() == []
        # On a busy machine even a word may take a new worker too long; not for ever.
        await until(lambda: reads(workers, b"Python"))
    finally:
        await workers.close()


async def test_what_takes_too_much_memory_is_refused() -> None:
    digits = random.Random(1)
    paragraphs = "".join(f"<w:p><w:r><w:t>{digits.random()}</w:t></w:r></w:p>" for _ in range(150_000))
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{space}">{paragraphs}</w:document>')
    workers = CvWorkers(ReadingLimits(memory=105 * 1024 * 1024, workers=1))
    try:
        with pytest.raises(Unreadable) as refused:
            await workers.read_file(target.getvalue(), LEXICON, TODAY)
        assert refused.value.kind is UnreadableKind.BOMB
        await workers.read_file(PDF, LEXICON, TODAY)
    finally:
        await workers.close()


async def test_a_worker_that_died_is_replaced(workers: CvWorkers) -> None:
    await workers.read_file(PDF, LEXICON, TODAY)
    [first] = running_workers()
    os.kill(first, signal.SIGKILL)
    await until(lambda: not running_workers())
    await until(lambda: reads(workers))
    [second] = running_workers()
    assert second != first


async def reads(workers: CvWorkers, content: bytes = PDF) -> bool:
    try:
        _, reading = await workers.read_file(content, LEXICON, TODAY)
    except Unreadable:
        return False
    return "python" in {one.skill for one in reading.skills}


async def test_the_event_loop_is_free_while_a_long_text_is_read(workers: CvWorkers) -> None:
    reading = asyncio.create_task(workers.read_text(LONG, LEXICON, TODAY))
    turns = 0
    while not reading.done():
        turns += 1
        await asyncio.sleep(0.005)
    assert (await reading).skills
    assert turns > 20


async def test_who_goes_away_leaves_no_answer_to_the_next(workers: CvWorkers) -> None:
    await workers.read_file(b"Docker", LEXICON, TODAY)
    reading = asyncio.create_task(workers.read_text(LONG, LEXICON, TODAY))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    _, next_one = await workers.read_file(b"Docker", LEXICON, TODAY)
    assert [one.skill for one in next_one.skills] == ["docker"]
