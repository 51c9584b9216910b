#!/usr/bin/env bash
# Installs what the tests need, and runs the script given with their services: `make test` config/checks.sh,
# which is everything that CI runs, and `make proofs` config/proofs.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

# The tests choose their own settings.
unset DISSENT_ENV DEBUG DEMONSTRATION DATABASE_URL REDIS_URL SECRET_KEY ALLOWED_HOSTS SITE_URL EMAIL_URL \
    MAIL_FROM PROXY_COUNT

config/install.sh test
exec .venv/bin/python tests/services.py "$@"
