#!/usr/bin/env bash
# Lint, types and tests of the Python programs, in a virtual environment of their own below the user's cache.
set -euo pipefail
cd "$(dirname "$0")"

python=${PYTHON:-python3}
if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "workloads: needs Python 3.11 or newer with venv; on Debian: apt-get install python3-venv" >&2
  exit 1
fi

# Its own environment for each Python and each set of requirements, so none is ever changed in place.
hash=$( { "$python" -VV; cat requirements-checks.txt; } | sha256sum | cut -c1-16)
environment=${XDG_CACHE_HOME:-$HOME/.cache}/swe-operator/python-$hash
if [ ! -e "$environment/ready" ]; then
  echo "workloads: making $environment"
  rm -rf "$environment"
  "$python" -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement requirements-checks.txt
  touch "$environment/ready"
fi

"$environment/bin/ruff" check --quiet --no-cache swe_workloads tests
"$environment/bin/ruff" format --quiet --no-cache --check swe_workloads tests
"$environment/bin/mypy" --no-error-summary --cache-dir "$environment/mypy"
# Most of them wait for somebody to give up, so twice as many as there are cores run at once.
PYTHONDONTWRITEBYTECODE=1 "$environment/bin/pytest" --numprocesses 4 "$@"
