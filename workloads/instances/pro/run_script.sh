#!/bin/bash
set -e

run_all_tests() {
  pytest -v
}

run_selected_tests() {
  pytest -v "$@"
}

if [ $# -eq 0 ]; then
  run_all_tests
  exit $?
fi

if [[ "$1" == *","* ]]; then
  IFS=',' read -r -a TEST_FILES <<<"$1"
else
  TEST_FILES=("$@")
fi

run_selected_tests "${TEST_FILES[@]}"
