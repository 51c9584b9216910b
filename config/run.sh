#!/usr/bin/env bash
# Serves the product with its demonstration data on this machine. `make run` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."

# What this shell may hold for another installation: invented people with a known password belong in no other
# database, and only the one here is drained by the server itself.
unset DISSENT_ENV DEBUG DATABASE_URL REDIS_URL SECRET_KEY ALLOWED_HOSTS EMAIL_URL MAIL_FROM PROXY_COUNT HOST

export PORT=${PORT:-8000} DEMONSTRATION=1
export SITE_URL=${SITE_URL:-http://127.0.0.1:$PORT}

config/install.sh run

if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
    echo "Port $PORT is taken by another program. Choose another:  make run PORT=8010"
    exit 1
fi

echo "Preparing the database, the procedures and the demonstration data."
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py createcachetable --verbosity 0
.venv/bin/python manage.py collectstatic --verbosity 0 --no-input
.venv/bin/python manage.py demo

echo
echo "Serving at $SITE_URL/  (Ctrl-C stops it; what is in it stays in var/)"
exec .venv/bin/gunicorn --config config/gunicorn.py
