#!/usr/bin/env bash
# The checks and tests themselves. tests/services.py calls it, with the services' addresses in the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH PYTHONWARNINGS=error

step() { printf '\n== %s\n' "$1"; }

# What production must have, filled with plainly invented values.
production() {
    DISSENT_ENV=production SECRET_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(50))') \
        ALLOWED_HOSTS=dissent.council.example SITE_URL=https://dissent.council.example \
        EMAIL_URL=smtps://mail.council.example MAIL_FROM=dissent@council.example \
        DATABASE_URL="$POSTGRES_URL" "$@"
}

step "style"
ruff check --quiet .
ruff format --quiet --check .
step "types"
mypy
step "migrations match the models"
python manage.py makemigrations --check --dry-run
step "production settings"
production python manage.py check --deploy --fail-level WARNING
step "tests on SQLite"
pytest --numprocesses 2 --dist worksteal -m "not journey and not stack and not proof" "$@"
step "tests and journeys on PostgreSQL"
DATABASE_URL=$POSTGRES_URL pytest --numprocesses 2 --dist worksteal -m "not without_database and not stack and not proof" \
    "$@"
