#!/usr/bin/env bash
# What takes too long for every change. tests/services.py calls it, with the services' addresses in the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH

step() { printf '\n== %s\n' "$1"; }

step "proofs on SQLite"
pytest -m "proof and not stack" --capture no "$@"
step "proofs on PostgreSQL"
DATABASE_URL=$POSTGRES_URL pytest -m "proof or stack" --capture no "$@"
