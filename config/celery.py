"""Celery, which in production carries one word: look at the outbox.

What has to be sent stands in the database. A lost, doubled or late message here loses nothing: the next
tick finds the same rows.
"""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("dissent")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_djangos_logging(**_: object) -> None:
    """Celery leaves logging alone once something answers this signal."""
