"""The append-only record of every moment, and of every read.

An entry holds ids, a verb, times and a salted commitment to its values; the values and the salt lie
beside it and can be erased lawfully without breaking the chain. One chain a council. A trigger in
the database refuses to change or delete an entry.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from councils.models import Council, Person

GENESIS = "0" * 64


class LedgerHead(models.Model):
    """The end of a council's chain. Its lock is what makes two writers queue up."""

    council = models.OneToOneField(Council, on_delete=models.PROTECT, primary_key=True, related_name="+")
    sequence = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, default=GENESIS)


class LedgerEntry(models.Model):
    council = models.ForeignKey(Council, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField()
    verb = models.CharField(max_length=60)
    about = models.CharField(max_length=40)
    about_id = models.CharField(max_length=40)
    case_id = models.UUIDField(null=True)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    commitment = models.CharField(max_length=64)
    previous = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["council", "sequence"], name="ledger_without_gaps")]
        indexes = [
            models.Index(
                fields=["case_id", "sequence"], condition=~models.Q(case_id=None), name="ledger_of_case"
            )
        ]

    def computed(self) -> str:
        """Return the hash that this entry must have, in hexadecimal."""
        body = [
            str(self.council_id),
            self.sequence,
            self.verb,
            self.about,
            self.about_id,
            str(self.case_id or ""),
            str(self.by_id or ""),
            _instant(self.happened_at),
            _instant(self.recorded_at),
            self.commitment,
            self.previous,
        ]
        return hashlib.sha256(json.dumps(body, separators=(",", ":")).encode()).hexdigest()


class LedgerValues(models.Model):
    """What an entry commits to: names and free text, erasable."""

    entry = models.OneToOneField(
        LedgerEntry, on_delete=models.PROTECT, primary_key=True, related_name="values"
    )
    salt = models.CharField(max_length=64)
    values = models.JSONField(encoder=DjangoJSONEncoder)

    def commitment(self) -> str:
        return _commitment(self.salt, self.values)


def write(
    *,
    council: Council,
    verb: str,
    about: models.Model,
    by: Person | None,
    happened_at: dt.datetime,
    recorded_at: dt.datetime,
    case: models.Model | None = None,
    values: dict[str, Any] | None = None,
) -> LedgerEntry:
    """Append one entry to the council's chain and return it. Runs in the caller's transaction."""
    # No savepoint: an entry that fails takes with it what it was to record, and a page asks less.
    with transaction.atomic(savepoint=False):
        head = LedgerHead.objects.select_for_update().filter(council=council).first()
        if head is None:
            LedgerHead.objects.bulk_create([LedgerHead(council=council)], ignore_conflicts=True)
            head = LedgerHead.objects.select_for_update().get(council=council)
        salt = secrets.token_hex(16)
        kept = json.loads(json.dumps(values or {}, cls=DjangoJSONEncoder))
        entry = LedgerEntry(
            council=council,
            sequence=head.sequence + 1,
            verb=verb,
            about=about._meta.model_name or "",
            about_id=str(about.pk),
            case_id=case.pk if case else None,
            by=by,
            happened_at=happened_at,
            recorded_at=recorded_at,
            commitment=_commitment(salt, kept),
            previous=head.sha256,
        )
        entry.sha256 = entry.computed()
        entry.save(force_insert=True)
        LedgerValues.objects.create(entry=entry, salt=salt, values=kept)
        LedgerHead.objects.filter(pk=head.pk).update(sequence=entry.sequence, sha256=entry.sha256)
    return entry


def verify(council: Council) -> tuple[int, list[str]]:
    """Return how many entries the council's chain has, and a sentence for each thing wrong with it."""
    wrong: list[str] = []
    previous, expected = GENESIS, 1
    entries = LedgerEntry.objects.filter(council=council).order_by("sequence").select_related("values")
    for entry in entries.iterator(chunk_size=2000):
        place = f"{council.key}, entry {entry.sequence}"
        if entry.sequence != expected:
            wrong.append(f"{place}: entries {expected} to {entry.sequence - 1} are missing")
        if entry.previous != previous:
            wrong.append(f"{place}: does not follow from the entry before it")
        if entry.sha256 != entry.computed():
            wrong.append(f"{place}: was changed after it was written")
        values = getattr(entry, "values", None)
        if values is not None and not hmac.compare_digest(values.commitment(), entry.commitment):
            wrong.append(f"{place}: its values are not those it was written with")
        previous, expected = entry.sha256, entry.sequence + 1
    head = LedgerHead.objects.filter(council=council).first()
    if (head.sequence, head.sha256) != (expected - 1, previous) if head else expected > 1:
        wrong.append(f"{council.key}: the chain does not end where its head says")
    return expected - 1, wrong


def head_of(council: Council) -> str:
    """Return the hash at the end of the council's chain."""
    return LedgerHead.objects.filter(council=council).values_list("sha256", flat=True).first() or GENESIS


def _commitment(salt: str, values: dict[str, Any]) -> str:
    body = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{salt}:{body}".encode()).hexdigest()


def _instant(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
