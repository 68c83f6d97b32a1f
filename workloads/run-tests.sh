#!/usr/bin/env bash
# Lint, types and tests of the Python programs.
set -euo pipefail
cd "$(dirname "$0")"

environment=$(bash checks-environment.sh)
"$environment/bin/ruff" check --quiet --no-cache swe_workloads instances tests
"$environment/bin/ruff" format --quiet --no-cache --check swe_workloads instances tests
"$environment/bin/mypy" --no-error-summary --cache-dir "$environment/mypy"
# Most of them wait for somebody to give up, so twice as many as there are cores run at once.
PYTHONDONTWRITEBYTECODE=1 "$environment/bin/pytest" --numprocesses 4 "$@"
