"""intake.letters.v1: any mail outside the path of a need. Notifier renders and sends it."""

from datetime import timedelta

from pydantic import Field

from shared.events.topic import Event, Topic
from shared.events.vocabulary import Locale


class Letter(Event):
    """`template` names one of notifier's letters; `arguments` are its values, plain text."""

    letter_id: str
    template: str
    locale: Locale
    to_name: str | None = None
    to_email: str
    arguments: dict[str, str] = Field(default_factory=dict)


LETTERS = Topic(
    "intake.letters.v1",
    Letter,
    key="letter_id",
    partitions=3,
    retention=timedelta(days=7),
    producers=("intake",),
    consumers=("notifier",),
)
