"""Reads stand in the ledger too: what was opened, by whom, in the transaction that served it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models, transaction

from councils.models import Council, Person
from dissent.models import ledger


@transaction.atomic
def record_read(
    *,
    council: Council,
    about: models.Model,
    what: str,
    by: Person,
    at: dt.datetime,
    case: models.Model | None = None,
    values: dict[str, Any] | None = None,
) -> None:
    """Write that `by` read `what` of `about`. A page that cannot be recorded is not shown."""
    ledger.write(
        council=council,
        verb=f"read_{what}",
        about=about,
        case=case,
        by=by,
        happened_at=at,
        recorded_at=at,
        values=values,
    )
