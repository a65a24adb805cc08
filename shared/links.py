"""Addresses that more than one service writes into its pages and mails."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from shared.events.vocabulary import Locale
from shared.settings import Settings
from shared.tokens import Tokens

TRACKING_PURPOSE = "need-tracking"
TRACKING_LIFETIME = timedelta(days=400)


def tracking_url(
    settings: Settings, tokens: Tokens, need_id: str, locale: Locale, made: datetime | None = None
) -> str:
    """The client's unguessable link to the status page of a need. The token is in `t`.

    With `made` the same moment gives the same link: a mail that is sent again stays the same mail.
    """
    token_id = f"{need_id}.{int(made.timestamp() * 1000)}" if made else None
    token = tokens.issue(TRACKING_PURPOSE, need_id, lifetime=TRACKING_LIFETIME, token_id=token_id, now=made)
    return f"{settings.public_url}/needs/{need_id}?{urlencode({'t': token, 'lang': locale.value})}"


def need_form_path(role_id: str, locale: Locale) -> str:
    """The need form prefilled for a role."""
    return f"/needs/new?{urlencode({'role': role_id, 'lang': locale.value})}"


def role_path(slug: str, locale: Locale) -> str:
    """A role sheet's page; `slug` is the one of that language."""
    return f"/fr/metiers/{slug}" if locale is Locale.FR else f"/roles/{slug}"
