"""A form that was sent: read, checked like a request of the API, its errors put at its fields."""

import json
from collections.abc import Sequence

from pydantic import ValidationError

from services.intake.domain.fields import Refusal
from services.intake.domain.need import NeedRequest
from services.intake.form import NeedForm
from services.intake.form_request import field_of, request_of
from shared.events.vocabulary import Locale
from shared.web.problems import as_field_errors


class WrongFields(Exception):  # noqa: N818 - what is wrong
    """The form's `errors` say what is wrong with it."""


class Submission:
    def __init__(self, form: NeedForm, locale: Locale) -> None:
        self.form = form
        self.body, self._fields = request_of(form, locale)

    def request(self) -> NeedRequest:
        """Raises WrongFields."""
        try:
            return NeedRequest.model_validate_json(json.dumps(self.body))
        except ValidationError as error:
            raise self.wrong(as_field_errors(error)) from error

    def refused(self, refusal: Refusal) -> WrongFields:
        """The same for what the domain refuses."""
        return self.wrong(refusal.errors)

    def wrong(self, errors: Sequence[tuple[str, str]]) -> WrongFields:
        for pointer, _detail in errors:
            name = field_of(pointer, self._fields)
            self.form.errors.setdefault(name, f"wrong_{name.rstrip('_0123456789')}")
        return WrongFields()
