"""Logs: JSON lines, or readable text on a terminal. Events are words and ids, never personal data."""

import logging
import sys

import structlog


def configure_logging(level: str = "INFO", *, json_lines: bool | None = None) -> None:
    """Set up structlog and hand the standard library's loggers to it.

    `json_lines` None means: text where standard error is a terminal, JSON elsewhere.
    """
    as_json = not sys.stderr.isatty() if json_lines is None else json_lines
    shared_steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [_tracebacks(), structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared_steps, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # aiokafka and FastStream log each attempt of an outage; ours says it once, in `dependency_away`.
    for noisy in ("aiokafka", "faststream"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    for noisy in ("pymongo", "motor", "mail.log", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(service: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines name the service."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(service=service)
    return logger


def _tracebacks() -> structlog.processors.ExceptionRenderer:
    # Never with locals, which structlog shows by default: they hold the people the record is about.
    return structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
