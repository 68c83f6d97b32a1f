# Moves the repository, and adds the commit that `before_repo_set_cmd` takes the tests from.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
mv /testbed /app
cd /app
git reset --quiet --hard HEAD~1
/opt/miniconda3/envs/testbed/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation --editable .
rm -rf build ./*.egg-info src/*.egg-info

export GIT_AUTHOR_NAME=upstream GIT_AUTHOR_EMAIL=upstream@example.invalid GIT_AUTHOR_DATE='2025-01-02T00:00:00Z'
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
git checkout --quiet -b upstream
git apply --index /tmp/pro/test.patch
git commit --quiet --message 'The tests of the fix'
git checkout --quiet main
rm -r /tmp/pro
