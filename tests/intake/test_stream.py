"""The live need: server-sent events over a real connection."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.intake.app import build
from shared.events.shortlist import SHORTLISTS
from shared.run import Surroundings
from tests.intake.support import a_need, a_shortlist, publish_catalogue, serving
from tests.support import publisher


async def messages(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_an_open_stream_tells_each_change_and_ends_when_the_service_stops(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTAKE_STREAM_HEARTBEAT_SECONDS", "0.2")
    await publish_catalogue(given.kafka_bootstrap)
    async with httpx.AsyncClient(timeout=20) as client, publisher(given.kafka_bootstrap) as sender:
        async with serving(build(given), given) as address:
            need = (await client.post(f"{address}/api/needs", json=a_need())).json()
            link = httpx.URL(need["tracking_url"]).params["t"]
            request = client.build_request(
                "GET", f"{address}/api/needs/{need['need_id']}/events", params={"t": link}
            )
            response = await client.send(request, stream=True)
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["x-accel-buffering"] == "no", "no proxy holds it back"
            assert "no-transform" in response.headers["cache-control"]
            stream = messages(response)
            first = await anext(stream)
            assert first["need_id"] == need["need_id"]
            assert first["timeline"][0]["event"] == "received"
            await sender.publish(SHORTLISTS, a_shortlist(need["need_id"], 1))
            async for message in stream:
                if message["status"] == "matched":
                    break
            assert [entry["event"] for entry in message["timeline"]].count("received") == 1
            rest = asyncio.create_task(_rest(response))
            started = time.monotonic()
        waited = time.monotonic() - started
        assert waited < given.settings.shutdown_seconds, "an open stream does not hold up the end"
        await rest
        await response.aclose()


async def _rest(response: httpx.Response) -> None:
    # The iterator of the messages has been left; what remains is read raw to its end.
    async for _ in response.stream:  # type: ignore[union-attr]
        pass


async def test_a_stream_shows_what_another_replica_wrote_and_heartbeats_in_between(
    given: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTAKE_STREAM_HEARTBEAT_SECONDS", "0.1")
    monkeypatch.setenv("INTAKE_STREAM_POLL_SECONDS", "0.1")
    await publish_catalogue(given.kafka_bootstrap)
    async with httpx.AsyncClient(timeout=20) as client, serving(build(given), given) as address:
        need = (await client.post(f"{address}/api/needs", json=a_need())).json()
        link = httpx.URL(need["tracking_url"]).params["t"]
        path = f"{address}/api/needs/{need['need_id']}/events"
        async with client.stream("GET", path, params={"t": link}) as response:
            lines = response.aiter_lines()
            async for line in lines:
                if line.startswith(": still here"):
                    break
            needs = given.mongo_client["recruitment_intake"]["needs"]
            await needs.update_one({"_id": need["need_id"]}, {"$set": {"status": "sent"}})
            async for line in lines:
                if line.startswith("data: ") and json.loads(line[6:])["status"] == "sent":
                    return
    raise AssertionError("the stream ended without the change")
