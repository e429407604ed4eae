#!/usr/bin/env bash
# Makes the virtual environment if there is none and installs locks into it, by hash; the project itself
# is installed in place. Usage: scripts/setup.sh VENV LOCK...   (LOCK: a file of requirements/, without .txt)
# PYTHON names the interpreter to use; without it the first of python3, python3.14 ... 3.11 that is new enough.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$1
shift

new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    candidate=${PYTHON:-python3}
    {
        if command -v "$candidate" >/dev/null 2>&1; then
            echo "setup: Python 3.11 or newer is needed; $candidate is $("$candidate" --version 2>&1)."
        else
            echo "setup: Python 3.11 or newer is needed; there is no command $candidate."
        fi
        echo "       Debian 12, Ubuntu 24.04 and later have it: apt-get install python3 python3-venv"
        echo "       Another interpreter is chosen with PYTHON, for example: PYTHON=python3.12 make test"
    } >&2
    return 1
}

if ! "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
    python=$(find_python)
    if [[ -e $venv && ! -f $venv/pyvenv.cfg ]]; then
        echo "setup: $venv exists and is no virtual environment; name another with VENV=" >&2
        exit 1
    fi
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        "$python" -m scripts.system install --stage setup
    fi
    echo "setup: $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

for lock in "$@"; do
    echo "setup: installing requirements/$lock.txt"
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
        --require-hashes --requirement "requirements/$lock.txt"
done
if [[ " $* " == *" build "* ]]; then
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
        --no-deps --no-build-isolation --editable .
fi
