"""Every metric there is, in one list. Each carries the label `service`.

One `Metrics` per process: the services that run in it share its registry.
"""

from collections.abc import Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)

_FAST = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_WORKDAYS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 432000)


class Metrics:
    """The list. Durations are seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        # Kafka
        self.records = self._counter(
            "records_total", "Records taken from a topic, by what became of them", "topic", "outcome"
        )  # outcome: handled, dead, retried, waited
        self.record_seconds = self._histogram(
            "record_seconds", "Time a batch of records took in its handler", "topic"
        )
        self.published = self._counter("published_total", "Records acknowledged by Kafka", "topic")
        self.publish_failures = self._counter("publish_failures_total", "Sends that Kafka refused", "topic")
        self.lag = self._gauge("consumer_lag_records", "Records behind the end of the topic", "topic")
        self.table_rows = self._gauge("table_rows", "Entities held of a compacted topic", "topic")
        self.table_skipped = self._counter(
            "table_skipped_total", "Unreadable records that a table passed over", "topic"
        )
        self.outbox_waiting = self._gauge(
            "outbox_waiting", "Documents whose newest state is not on Kafka yet", "topic"
        )

        # What we depend on
        self.dependency_up = self._gauge(
            "dependency_up", "1 while kafka, mongodb or smtp answers, 0 while it is away", "dependency"
        )
        self.ready = self._gauge("ready", "1 while /readyz answers 200")
        self.background_failures = self._counter(
            "background_failures_total", "Background loops that raised and were started again", "loop"
        )

        # HTTP
        self.http_seconds = self._histogram(
            "http_request_seconds", "Time to answer", "method", "route", "status"
        )
        self.rate_limited = self._counter("rate_limited_total", "Requests answered with 429", "route")

        # Intake
        self.needs = self._counter("needs_total", "Needs by what the client did", "action")
        self.candidates = self._counter("candidates_total", "Candidates by what happened", "action")

        # Matching
        self.rank_seconds = self._histogram("rank_seconds", "Time to rank all candidates for one need")
        self.shortlists = self._counter("shortlists_total", "Rankings by what came of them", "outcome")
        self.index_candidates = self._gauge("index_candidates", "Candidates in the index")

        # Notifier
        self.mails = self._counter("mails_total", "Mails by kind and outcome", "kind", "outcome")
        self.mails_waiting = self._gauge("mails_waiting", "Ledger rows that are not sent yet")
        self.decisions = self._counter("decisions_total", "What consultants decided", "decision")
        self.first_answer_seconds = self._histogram(
            "first_answer_seconds", "From a need's arrival to the first decision about it", buckets=_WORKDAYS
        )
        self.answers = self._counter(
            "answers_total", "Candidates by the first answer about them", "answer", "place"
        )  # answer: accepted, declined; place: 1-5, 6-10, near_miss, by_hand, unlisted
        self.decline_reasons = self._counter(
            "decline_reasons_total", "Why candidates were declined", "reason"
        )

    def _names(self, labels: Sequence[str]) -> tuple[str, ...]:
        return ("service", *labels)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, self._names(labels), registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, self._names(labels), registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: Sequence[float] = _FAST) -> Histogram:
        return Histogram(name, text, self._names(labels), registry=self.registry, buckets=buckets)

    def exposition(self) -> bytes:
        """The registry in Prometheus' text format."""
        return generate_latest(self.registry)
