"""The drain: all that time or a committed row asks for. Celery and the embedded thread call the same."""

import datetime as dt
import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from dissent import notices
from dissent.actions import make_bytes, pass_clocks

log = logging.getLogger(__name__)


def drain(*, at: dt.datetime) -> dict[str, int]:
    """Do what is due at `at`: clocks, letters without bytes, notices not sent. Returns the counts."""
    return {"clocks": pass_clocks(at=at), "letters": make_bytes(at=at), "notices": notices.send_due(at=at)}


@shared_task(name="dissent.tasks.drain", ignore_result=True)
def tick() -> None:
    """Look at the outbox. Carries nothing: a tick that is lost, late or doubled does no harm."""
    drain(at=timezone.now())


def nudge() -> None:
    """Ask Celery to look at the outbox now. A broker that is away harms nothing: the next tick looks."""
    if not settings.REDIS_URL:
        return
    try:
        tick.apply_async(retry=False)
    except OperationalError:
        log.warning("the outbox was not nudged; the next tick finds what is due")
