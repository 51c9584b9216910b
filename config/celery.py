"""Celery, which in production carries one word: look at the outbox.

What has to be sent stands in the database. A lost, doubled or late message here loses nothing: the next
tick finds the same rows.
"""

import os
import sys

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("dissent")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_configure.connect
def _refuse_wrong_settings(**signal: object) -> None:
    """End with the sentence that says what is wrong, and nothing else."""
    try:
        _ = settings.INSTALLED_APPS
    except ImproperlyConfigured as error:
        sys.exit(str(error))


@setup_logging.connect
def _keep_djangos_logging(**_: object) -> None:
    """Celery leaves logging alone once something answers this signal."""
