import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest
from pydantic import ValidationError

from shared.events.need import Contact
from shared.log import configure_logging, get_logger
from shared.trace import current_traceparent, traced


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    caught = io.StringIO()
    with redirect_stderr(caught):
        configure_logging("INFO", json_lines=True)
        yield caught
    configure_logging("WARNING", json_lines=False)


def test_a_line_is_json_with_service_need_and_trace(lines: io.StringIO) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    with traced(trace, need_id="n-1"):
        get_logger("intake").info("need_received")
        assert (current_traceparent() or "").startswith("00-" + "a" * 32)
    line = json.loads(lines.getvalue())
    assert (line["service"], line["need_id"], line["trace_id"]) == ("intake", "n-1", "a" * 32)
    assert current_traceparent() is None


def test_an_exception_is_logged_without_the_values_around_it(lines: io.StringIO) -> None:
    canary = "jane.canary@example.com"
    try:
        Contact.model_validate({"name": "x", "email": [canary]})
    except ValidationError:
        get_logger("intake").exception("failed")
        logging.getLogger("some.library").exception("failed")
    text = lines.getvalue()
    assert "ValidationError" in text
    assert "canary" not in text
