#!/usr/bin/env bash
# Prepares this machine: `config/install.sh run` for the product, `config/install.sh test` for its tests too.
# A second run finds everything in place and takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:?run or test}
requirements=requirements.txt
debian=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation)
why="the PDF engine that makes letters needs them"
if [ "$purpose" = test ]; then
    requirements=tests/requirements.txt
    debian+=(chromium)
    why="letters and the browser tests need them"
    # Services are the machine's own affair in CI: there a missing one must show, not be papered over.
    if [ -z "${CI:-}" ]; then
        compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || debian+=(postgresql)
        command -v redis-server >/dev/null || debian+=(redis-server)
    fi
fi

say() { printf '%s\n' "$*"; }

# Installs Debian packages where this user may, and otherwise says what to run.
install_debian() {
    if ! command -v apt-get >/dev/null; then
        say "This is not a Debian machine. Install what these Debian packages hold: $*"
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        say "Missing from this machine: $*"
        say "Run this once, then try again:  sudo apt-get install --no-install-recommends $*"
        return 1
    fi
    say "Installing from Debian: $*"
    export DEBIAN_FRONTEND=noninteractive
    local apt=(apt-get install --yes --quiet --quiet --no-install-recommends -o Dpkg::Use-Pty=0)
    # The lists of a fresh machine are empty or old, which shows only when a package is asked for.
    "${apt[@]}" "$@" >/dev/null 2>&1 || { apt-get update --quiet --quiet && "${apt[@]}" "$@" >/dev/null; } || {
        say "Debian's packages could not be installed. Try it by hand:  apt-get install $*"
        return 1
    }
}

# 1. Python
python=$(command -v python3.11 || command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "Python 3.11 or newer is needed."
    install_debian python3 || exit 1
    python=$(command -v python3)
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    install_debian python3-venv || exit 1
fi

# 2. Debian's libraries
missing=()
for package in "${debian[@]}"; do
    dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "Missing: ${missing[*]} ($why)."
    if ! install_debian "${missing[@]}"; then
        [ "$purpose" = run ] || exit 1
        say "Going on without: everything works except that letters wait until these are installed."
    fi
fi

# 3. Python packages, once for each change of the pinned lists
wanted=$(cat requirements.txt "$requirements" | sha256sum | cut -c1-16)
stamp=.venv/installed-for-$purpose
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    say "Installing the pinned Python packages into .venv (under a minute on most lines):"
    # Exactly what is pinned and nothing else; what the list forgot shows in the check.
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --only-binary :all: \
        --no-deps --progress-bar off --requirement "$requirements" |
        awk '/^Collecting /           { sub(/==/, " ", $2); printf "  %s\n", $2; fflush() }
             /^Installing collected/  { print "  ... unpacking"; fflush() }'
    .venv/bin/python -m pip --disable-pip-version-check check | sed '/^No broken requirements found/d'
    echo "$wanted" >"$stamp"
fi
