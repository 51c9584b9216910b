"""A published procedure is kept to the letter."""

import hashlib
import json

import pytest

from councils import procedure as language
from councils.models import ProcedureVersion
from tests.world import World

pytestmark = pytest.mark.django_db


def test_what_is_kept_is_what_its_hash_is_of_and_says_things_in_their_order():
    said = World().version.rules
    kept = ProcedureVersion.objects.get()
    assert hashlib.sha256(kept.document.encode()).hexdigest() == kept.sha256
    read = language.from_document(json.loads(kept.document))
    assert read == said
    for before, after in zip(said.filing.questions, read.filing.questions, strict=True):
        assert list(after.choices) == list(before.choices)
