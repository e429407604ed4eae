#!/usr/bin/env bash
# Brings requirements/*.txt in step with pyproject.toml: every version pinned, every file by its hash,
# for every platform. Usage: scripts/lock.sh UV [--upgrade | --upgrade-package NAME ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
uv=$1
shift

compile() {
    local output=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
        --output-file "$output" "$@"
    echo "$output: $(grep -c '^[a-zA-Z0-9]' "$output") packages"
}

compile requirements/runtime.txt pyproject.toml "$@"
compile requirements/charts.txt pyproject.toml --extra charts --constraint requirements/runtime.txt "$@"
compile requirements/build.txt --group pyproject.toml:build "$@"
compile requirements/dev.txt pyproject.toml --group pyproject.toml:dev \
    --constraint requirements/runtime.txt --constraint requirements/charts.txt --constraint requirements/build.txt "$@"
