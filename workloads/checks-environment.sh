#!/usr/bin/env bash
# Prints where the virtual environment of the checks is, below the user's cache; makes it the first time.
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
  echo "workloads: making $environment" >&2
  rm -rf "$environment"
  "$python" -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement requirements-checks.txt
  touch "$environment/ready"
fi
echo "$environment"
