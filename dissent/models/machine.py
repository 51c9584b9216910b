"""The state field that the machine stands on.

django-fsm switches its protection off on the field object, which all rows share, while one row is
refreshed: a refresh that fails leaves it off for the whole process, and one in another thread can
slip through. Here the switch is on the row itself.
"""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django_fsm import ConcurrentTransitionMixin, FSMField, FSMFieldDescriptor


class GuardedDescriptor(FSMFieldDescriptor):
    def __set__(self, instance: Any, value: Any) -> None:
        if instance.__dict__.get("_refreshing"):
            self.field.set_proxy(instance, value)
            self.field.set_state(instance, value)
        else:
            super().__set__(instance, value)


class StateField(FSMField):
    """A state that only a transition changes."""

    descriptor_class = GuardedDescriptor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["protected"] = True
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("protected", None)
        return name, path, args, kwargs


class Machine(ConcurrentTransitionMixin, models.Model):
    """A row with a state, saved only where nobody changed the state in between."""

    class Meta:
        abstract = True

    def refresh_from_db(
        self, using: str | None = None, fields: Sequence[str] | None = None, from_queryset: Any = None
    ) -> None:
        self.__dict__["_refreshing"] = True
        try:
            models.Model.refresh_from_db(self, using=using, fields=fields, from_queryset=from_queryset)
        finally:
            self.__dict__.pop("_refreshing", None)
        self._update_initial_state()
