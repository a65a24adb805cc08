"""The worker process: reads files and texts for `workers`, frame by frame, until its input ends.

A frame is two big-endian lengths, then JSON, then bytes. Answers are JSON alone: whatever a hostile file may
do to a parser, the service never unpickles what comes back.
"""

import json
import os
import resource
import struct
import sys
from dataclasses import asdict
from datetime import date
from typing import Any, BinaryIO

from services.intake.reading.cv import CvReader
from services.intake.reading.documents import extract
from services.intake.reading.found import Unreadable, UnreadableKind
from shared.events.role import Role
from shared.events.skill import Skill
from shared.taxonomy import Taxonomy

FRAME = struct.Struct(">II")
OUT_OF_MEMORY = 3
"""The exit status of a worker that came to its limit."""


def frame(header: Any, payload: bytes = b"") -> bytes:
    head = json.dumps(header).encode()
    return FRAME.pack(len(head), len(payload)) + head + payload


def main(memory: int) -> None:
    """`memory` is the most bytes of address space."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    reader = CvReader(Taxonomy({}), {})
    while (received := _receive(source)) is not None:
        header, payload = received
        if header["do"] == "learn":
            reader = _learn(json.loads(payload))
            answer: dict[str, Any] = {}
        else:
            answer = _read(reader, header, payload)
        answers.write(frame(answer))
        answers.flush()


def _receive(source: BinaryIO) -> tuple[Any, bytes] | None:
    lengths = source.read(FRAME.size)
    if len(lengths) < FRAME.size:
        return None
    head, payload = FRAME.unpack(lengths)
    return json.loads(source.read(head)), source.read(payload)


def _learn(catalogue: Any) -> CvReader:
    skills = [Skill.model_validate_json(one) for one in catalogue["skills"]]
    roles = [Role.model_validate_json(one) for one in catalogue["roles"]]
    taxonomy = Taxonomy({one.skill_id: one for one in skills}, catalogue["version"])
    return CvReader(taxonomy, {one.role_id: one for one in roles})


def _read(reader: CvReader, header: Any, payload: bytes) -> dict[str, Any]:
    try:
        document = extract(payload) if header["file"] else None
        text = document.text if document else payload.decode()
        reading = reader.read(text, date.fromisoformat(header["today"]))
    except Unreadable as unreadable:
        return {"unreadable": unreadable.kind}
    except MemoryError:
        return {"unreadable": UnreadableKind.BOMB}
    except Exception as error:
        # Parsers of hostile files raise anything.
        return {"failed": type(error).__name__}
    return {"document": asdict(document) if document else None, "reading": asdict(reading)}


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except MemoryError:
        # Outside of a job's own handling, and at once: tidying up takes memory too.
        os._exit(OUT_OF_MEMORY)
