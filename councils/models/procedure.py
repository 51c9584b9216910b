"""Published procedures, kept in versions that never change."""

from __future__ import annotations

from django.db import models

from councils import procedure as language


class ProcedureVersion(models.Model):
    """One published version. A trigger in the database refuses to change or delete it."""

    partnership = models.ForeignKey(
        "councils.Partnership", on_delete=models.PROTECT, related_name="procedures"
    )
    key = models.SlugField(max_length=100)
    kind = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    in_force_from = models.DateField()
    document = models.TextField()
    """JSON, to the letter what `sha256` is of. PostgreSQL's own type for it forgets the order of choices."""
    sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="procedure_version_once")]

    def __str__(self) -> str:
        return f"{self.key}, version {self.number}"

    @property
    def rules(self) -> language.Procedure:
        """The document, typed. Parsed once a process: a version never changes.

        What is asked of a document when it is published is not asked again: a case pinned to it stays open.
        """
        if self.sha256 not in _typed:
            _typed[self.sha256] = language.Procedure.model_validate_json(self.document)
        return _typed[self.sha256]


_typed: dict[str, language.Procedure] = {}
