#!/usr/bin/env bash
# Serves the product with its demonstration data as production runs it: several processes of the web server, a
# Celery worker and its beat, on a PostgreSQL and a Redis that are already there. `make stack` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH DJANGO_SETTINGS_MODULE=config.settings

say() { printf '%s\n' "$*"; }

if [ -n "${DISSENT_ENV:-}" ]; then
    say "DISSENT_ENV is set. Invented people with a known password belong in no such installation: unset it first."
    exit 1
fi
if [ -z "${DATABASE_URL:-}" ]; then
    say "DATABASE_URL is missing. Give an empty database, for example:"
    say "  createdb dissent && make stack DATABASE_URL=postgres://user:password@127.0.0.1/dissent REDIS_URL=..."
    exit 1
fi
if [ -z "${REDIS_URL:-}" ]; then
    say "REDIS_URL is missing. Give a Redis, for example:  make stack REDIS_URL=redis://127.0.0.1:6379/0"
    exit 1
fi
unset DEBUG ALLOWED_HOSTS PROXY_COUNT HOST
export PORT=${PORT:-8000} DEMONSTRATION=1 PYTHONUNBUFFERED=1
export SITE_URL=${SITE_URL:-http://127.0.0.1:$PORT}

if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
    say "Port $PORT is taken by another program. Choose another:  make stack PORT=8010"
    exit 1
fi
python - <<'END'
import sys

import django
import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

try:
    _ = settings.INSTALLED_APPS
except ImproperlyConfigured as error:
    sys.exit(str(error))
django.setup()
from django.db import Error, connection

if connection.vendor != "postgresql":
    sys.exit("DATABASE_URL is no PostgreSQL: write postgres://user:password@host/name, or use `make run`.")
try:
    connection.settings_dict["OPTIONS"].pop("pool", None)  # it would try for ten seconds, and not say why
    connection.ensure_connection()
except Error as error:
    sys.exit(f"PostgreSQL does not answer at DATABASE_URL. Start it, or correct the address. It said: {error}")
try:
    redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3).ping()
except (redis.RedisError, ValueError) as error:
    sys.exit(f"Redis does not answer at REDIS_URL. Start it, or correct the address. It said: {error}")
END

say "Preparing the database, the procedures and the demonstration data."
python manage.py migrate --verbosity 0
python manage.py createcachetable --verbosity 0
if [ ! -e var/static/staticfiles.json ] ||
    [ -n "$(find static requirements.txt -newer var/static/staticfiles.json -print -quit)" ]; then
    python manage.py collectstatic --verbosity 0 --no-input
fi
python manage.py demo

# Each in a session of its own, so that Ctrl-C reaches only this script, which then ends them once and in turn.
running=()
start() {
    local name=$1
    shift
    setsid "$@" > >(trap '' INT TERM; exec sed --unbuffered "s/^/$name  /") 2>&1 &
    running+=($!)
}
stop() {
    trap '' INT TERM HUP
    kill -TERM "${running[@]}" 2>/dev/null || true
    wait "${running[@]}" || true
}
trap 'say; say "Stopping."; stop; exit 0' INT TERM HUP

start "web   " gunicorn --config config/gunicorn.py
start "worker" celery --app config --quiet worker --concurrency 2 --hostname "worker-$PORT@%h"
start "beat  " celery --app config --quiet beat

say
say "Serving at $SITE_URL/  (Ctrl-C stops it; what is in it stays in the database)"
wait -n || true
say "One of the three has ended, and its last lines say why. The others are stopped too."
stop
exit 1
