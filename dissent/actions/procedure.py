"""Publishing a procedure."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import transaction

from councils.models import Partnership, Person, ProcedureVersion
from councils.procedure import Procedure
from dissent.actions.core import Refused
from dissent.models import ledger


class VersionExists(Refused):
    """This version is published already and says something else; a published version never changes."""


@transaction.atomic
def publish_procedure(*, procedure: Procedure, by: Person | None, at: dt.datetime) -> ProcedureVersion:
    """Publish a version of a procedure, and write it into the ledger of every council that follows it.

    The same document again is no change. Raises VersionExists for another document under the same number,
    and Refused where no such partnership is known.
    """
    body = procedure.model_dump_json(by_alias=True)
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    # Two who publish at once queue up here.
    partnership = Partnership.objects.select_for_update(no_key=True).filter(key=procedure.partnership).first()
    if partnership is None:
        raise Refused(
            f"No partnership has the key {procedure.partnership!r}, and no page or command makes one yet. "
            "Type into `manage.py shell`, with its name: "
            f"Partnership.objects.create(key={procedure.partnership!r}, name='...')"
        )
    existing = ProcedureVersion.objects.filter(key=procedure.key, number=procedure.version).first()
    if existing:
        if existing.sha256 == sha256:
            return existing
        raise VersionExists(
            f"Version {procedure.version} of {procedure.key} is published and never changes. "
            f"Give the document the version {procedure.version + 1} and a date from which it is in force."
        )
    version = ProcedureVersion.objects.create(
        partnership=partnership,
        key=procedure.key,
        kind=procedure.kind,
        number=procedure.version,
        in_force_from=procedure.in_force_from,
        document=body,
        sha256=sha256,
        published_at=at,
    )
    for council in partnership.councils.all():
        ledger.write(
            council=council,
            verb="publish_procedure",
            about=version,
            by=by,
            happened_at=at,
            recorded_at=at,
            values={"key": version.key, "version": version.number, "sha256": sha256},
        )
    return version
