"""Sends an import's lines and files over HTTP, again where intake is away or busy."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import httpx

from services.intake.import_files import Item

PATIENCE_SECONDS = 120.0
"""How long an intake that is away or busy is waited for."""
LONGEST_PAUSE = 60.0
_PAUSE = 2.0
_SMALLEST = 25
"""Lines that are sent at once where intake, or a proxy before it, gave no answer to more."""
_BUSY = frozenset({429, 502, 503, 504})

Answer = dict[str, Any]


class ImportStopped(Exception):  # noqa: N818 - what happened
    """The import cannot go on; the message says why and what to do."""


class Sender:
    """`say` shows a line to whoever watches."""

    def __init__(self, url: str, key: str, dry_run: bool, parallel: int, say: Callable[[str], None]) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=httpx.Timeout(60.0, connect=5.0)
        )
        self._parameters = {"dry_run": "true"} if dry_run else {}
        self._threads = ThreadPoolExecutor(parallel)
        self._say = say
        self._said = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._client.close()

    def answers(self, items: Sequence[Item]) -> Iterator[Answer]:
        """An answer for each item, in order. Raises ImportStopped."""
        lines = [item for item in items if not item.errors and item.cv is None]
        found = dict(zip((item.number for item in lines), self._send_lines(lines), strict=True))
        files = [item for item in items if not item.errors and item.cv is not None]
        found |= zip((item.number for item in files), self._threads.map(self._send_file, files), strict=True)
        for item in items:
            yield found.get(item.number) or {"status": 422, "errors": item.errors}

    def _send_lines(self, batch: Sequence[Item]) -> list[Answer]:
        """What intake could not store for an outage is sent again; what took too long, in parts."""
        answers: dict[int, Answer] = {}
        waiting, size = list(batch), len(batch)
        patience = _Patience()
        while waiting:
            part = waiting[:size]
            smaller = False
            response, pause, why = self._post(
                "/api/candidates/batch",
                content=b"\n".join(item.body for item in part),
                headers={"Content-Type": "application/x-ndjson"},
            )
            if response is not None:
                if response.status_code != httpx.codes.OK:
                    raise ImportStopped(f"intake answered {response.status_code}: {_title(response)}")
                lines = [line for line in response.text.split("\n") if line]
                for item, line in zip(part, lines, strict=True):
                    answer = json.loads(line)
                    if answer.get("status") not in _BUSY:
                        answers[item.number] = answer
            else:
                smaller = size > _SMALLEST
                size = max(min(size, _SMALLEST), size // 2)
            put_off = sum(item.number not in answers for item in part)
            if put_off:
                self._wait(patience, pause, why, progress=smaller or put_off < len(part))
            waiting = [item for item in waiting if item.number not in answers]
        return [answers[item.number] for item in batch]

    def _send_file(self, item: Item) -> Answer:
        assert item.cv is not None  # noqa: S101 - asked of those that have one
        patience = _Patience()
        while True:
            files = {
                "profile": (None, item.body, "application/json"),
                "cv": (item.cv.name, item.cv.read_bytes(), "application/octet-stream"),
            }
            response, pause, why = self._post("/api/candidates", files=files)
            if response is None:
                self._wait(patience, pause, why, progress=False)
                continue
            if response.status_code in {401, 403, 404, 405}:
                raise ImportStopped(f"intake answered {response.status_code}: {_title(response)}")
            return _answer(response)

    def _post(self, path: str, **content: Any) -> tuple[httpx.Response | None, float, str]:
        """The answer, None where intake is away or busy; how long to wait before the next try, and why."""
        try:
            response = self._client.post(path, params=self._parameters, **content)
        except httpx.TransportError as error:
            return None, _PAUSE, str(error) or type(error).__name__
        asked = response.headers.get("retry-after", "")
        pause = min(float(asked), LONGEST_PAUSE) if asked.isdigit() else _PAUSE
        if response.status_code in _BUSY:
            return None, pause, f"it answered {response.status_code}"
        return response, pause, "it put lines off"

    def _wait(self, patience: "_Patience", pause: float, why: str, *, progress: bool) -> None:
        if progress:
            patience.renew()
        elif patience.ended():
            raise ImportStopped("intake is away or busy; run the same command again later to go on")
        if not self._said:
            self._say(f"waiting for intake at {self._client.base_url} ({why})")
            self._said = True
        time.sleep(pause)


class _Patience:
    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self._until = time.monotonic() + PATIENCE_SECONDS

    def ended(self) -> bool:
        return time.monotonic() > self._until


def _answer(response: httpx.Response) -> Answer:
    """The answer to one candidate in the shape of a batch's line."""
    body = _json(response)
    if response.is_success:
        kept = ("candidate_id", "unmapped_skills", "warnings")
        return {"status": response.status_code} | {name: body[name] for name in kept if name in body}
    whole = [{"pointer": "", "detail": str(body.get("title", response.reason_phrase))}]
    return {"status": response.status_code, "errors": body.get("errors") or whole}


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _title(response: httpx.Response) -> str:
    return str(_json(response).get("title", response.reason_phrase))
