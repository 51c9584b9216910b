"""How gunicorn serves the product.

Without Redis: one process of several threads, one of which drains the outbox.
With Redis: several processes, and Celery drains the outbox elsewhere.
"""

import logging
import os
import sys
import threading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

try:
    _embedded = not settings.REDIS_URL
except ImproperlyConfigured as error:
    sys.exit(str(error))

DRAIN_EVERY_SECONDS = 2

wsgi_app = "config.wsgi:application"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = 1 if _embedded else int(os.environ.get("WEB_CONCURRENCY", "3"))
threads = 8
timeout = 60
# Whatever is cut off here is still due in the database, so that Ctrl-C need not wait for it.
graceful_timeout = 3 if _embedded else 30
max_requests = 0 if _embedded else 5_000
max_requests_jitter = 500
control_socket_disable = True
accesslog = "-"
# The path without its query, and nobody's address.
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(M)s ms"
loglevel = "warning" if _embedded else "info"


def post_worker_init(worker) -> None:
    if _embedded:
        threading.Thread(target=_drain_for_ever, name="drain", daemon=True).start()


def _drain_for_ever() -> None:
    """Send what is due, every two seconds, whatever happens."""
    from django.db import close_old_connections, connections
    from django.utils import timezone

    log = logging.getLogger("config.drain")
    pause = threading.Event()
    while True:
        try:
            from dissent.tasks import drain

            close_old_connections()
            drain(at=timezone.now())
            close_old_connections()
        except Exception:
            log.exception("The outbox could not be drained. It is tried again.")
            connections.close_all()
        pause.wait(DRAIN_EVERY_SECONDS)
