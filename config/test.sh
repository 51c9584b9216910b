#!/usr/bin/env bash
# Everything that CI runs, in the order in which a mistake shows soonest. `make test` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."

# The tests choose their own settings.
unset DISSENT_ENV DEBUG DEMONSTRATION DATABASE_URL REDIS_URL SECRET_KEY ALLOWED_HOSTS SITE_URL EMAIL_URL \
    MAIL_FROM PROXY_COUNT

config/install.sh test
exec .venv/bin/python tests/services.py config/checks.sh "$@"
