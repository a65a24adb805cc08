"""The embedded MongoDB in a process of its own, behind the wire protocol: to measure beside it.

    python bench/memory_store.py PORT

FerretDB on SQLite, the engine of the tests, reads a whole collection for nearly every update, so what is
measured on it is FerretDB. This keeps documents in memory (mongomock) and finds them by `_id` at once. It
knows the commands that intake sends and no more.
"""

import asyncio
import struct
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import bson
from mongomock import MongoClient
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.embedded import embedded_mongo

_OP_QUERY, _OP_REPLY, _OP_MSG = 2004, 1, 2013
_CODEC: bson.CodecOptions[dict[str, Any]] = bson.CodecOptions(tz_aware=False)
_HELLO = {
    "ismaster": True, "isWritablePrimary": True, "helloOk": True, "maxBsonObjectSize": 16 * 1024 * 1024,
    "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000, "minWireVersion": 0,
    "maxWireVersion": 21, "readOnly": False, "ok": 1.0,
}  # fmt: skip


class Store:
    def __init__(self) -> None:
        embedded_mongo()  # for what it mends in mongomock
        self._client: MongoClient[dict[str, Any]] = MongoClient()

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        if name in {"hello", "isMaster", "ismaster"}:
            return _HELLO
        if name in {"ping", "endSessions", "createIndexes"}:
            return {"ok": 1.0}
        collection = self._client[command["$db"]][str(command[name])]
        found: dict[str, Any] = getattr(self, f"_{name}")(collection, command)
        return found | {"ok": 1.0}

    def _insert(self, collection: Any, command: dict[str, Any]) -> dict[str, Any]:
        errors, done = [], 0
        for place, document in enumerate(command["documents"]):
            try:
                collection.insert_one(document)
                done += 1
            except DuplicateKeyError:
                errors.append({"index": place, "code": 11000, "errmsg": "E11000 duplicate key"})
        return {"n": done} | ({"writeErrors": errors} if errors else {})

    def _update(self, collection: Any, command: dict[str, Any]) -> dict[str, Any]:
        matched, upserted = 0, []
        for place, one in enumerate(command["updates"]):
            change, upsert = one["u"], one.get("upsert", False)
            if not next(iter(change), "").startswith("$"):
                done = collection.replace_one(one["q"], change, upsert=upsert)
            elif one.get("multi"):
                done = collection.update_many(one["q"], change, upsert=upsert)
            else:
                done = collection.update_one(one["q"], change, upsert=upsert)
            matched += done.matched_count
            if done.upserted_id is not None:
                matched += 1
                upserted.append({"index": place, "_id": done.upserted_id})
        return {"n": matched, "nModified": matched} | ({"upserted": upserted} if upserted else {})

    def _delete(self, collection: Any, command: dict[str, Any]) -> dict[str, Any]:
        done = 0
        for one in command["deletes"]:
            delete = collection.delete_one if one["limit"] else collection.delete_many
            done += delete(one["q"]).deleted_count
        return {"n": done}

    def _find(self, collection: Any, command: dict[str, Any]) -> dict[str, Any]:
        cursor = collection.find(command.get("filter", {}), command.get("projection"))
        if command.get("sort"):
            cursor = cursor.sort(list(command["sort"].items()))
        if command.get("limit"):
            cursor = cursor.limit(command["limit"])
        return _cursor(collection, list(cursor))

    def _aggregate(self, collection: Any, command: dict[str, Any]) -> dict[str, Any]:
        return _cursor(collection, list(collection.aggregate(command["pipeline"])))

    def _findAndModify(self, collection: Any, command: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        which = ReturnDocument.AFTER if command.get("new") else ReturnDocument.BEFORE
        found = collection.find_one_and_update(
            command["query"], command["update"], upsert=command.get("upsert", False), return_document=which
        )
        return {"value": found}


def _cursor(collection: Any, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"cursor": {"id": 0, "ns": collection.full_name, "firstBatch": found}}


def _read(body: bytes) -> dict[str, Any]:
    """The command of an OP_MSG: its document, with the sequences of documents that go with it."""
    command: dict[str, Any] = {}
    at = 4
    while at < len(body):
        kind, at = body[at], at + 1
        (size,) = struct.unpack_from("<i", body, at)
        part = body[at : at + size]
        at += size
        if kind == 0:
            command = bson.decode(part, _CODEC) | command
            continue
        name, _, documents = part[4:].partition(b"\0")
        command[name.decode()] = bson.decode_all(documents, _CODEC)
    return command


async def _serve(store: Store, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            size, request, _, kind = struct.unpack("<iiii", await reader.readexactly(16))
            body = await reader.readexactly(size - 16)
            if kind == _OP_QUERY:  # the driver's first hello
                answer = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(_HELLO)
                code = _OP_REPLY
            else:
                answer = b"\0\0\0\0\0" + bson.encode(store.answer(_read(body)))
                code = _OP_MSG
            writer.write(struct.pack("<iiii", 16 + len(answer), 0, request, code) + answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(port: int) -> None:
    store = Store()
    server = await asyncio.start_server(lambda r, w: _serve(store, r, w), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
