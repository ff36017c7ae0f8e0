"""One person's change to a row, as every action makes it: checked, and written only where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models

from wattkeeper.base.core.errors import ConflictError


def row_change(row: models.Model, wanted: Mapping[str, Any], **also: Any) -> dict[str, list[Any]]:
    """Give `row` the values of `wanted` that differ; returns `{field: [before, after]}`, empty if none does.

    Texts lose the blanks around them. `also` is written, unchecked, if anything is. ValidationError by field;
    ConflictError where somebody else has changed one of these fields since `row` was read.
    """
    texts = {field: value.strip() if isinstance(value, str) else value for field, value in wanted.items()}
    changed = {field: value for field, value in texts.items() if value != getattr(row, field)}
    if not changed:
        return {}
    _check(row, changed)
    before = {field: getattr(row, field) for field in changed}
    if not type(row)._default_manager.filter(pk=row.pk, **before).update(**changed, **also):
        raise ConflictError("Somebody else has changed this in the meantime; look at it again.")
    for field, value in {**changed, **also}.items():
        setattr(row, field, value)
    return {field: [before[field], value] for field, value in changed.items()}


def _check(row: models.Model, changed: Mapping[str, Any]) -> None:
    errors: dict[str, ValidationError] = {}
    for name, value in changed.items():
        field = row._meta.get_field(name)
        assert isinstance(field, models.Field)
        try:
            if isinstance(value, str):
                ProhibitNullCharactersValidator()(value)  # PostgreSQL would refuse it with an error
            field.clean(value, row)
        except ValidationError as error:
            errors[name] = error
    if errors:
        raise ValidationError(errors)
