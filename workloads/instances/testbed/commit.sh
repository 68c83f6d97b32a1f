# Makes /testbed a git repository whose commits have the same names wherever and whenever this runs.
#   bug.patch      what an instance breaks
#   test.patch     the tests that show it; those that the release has already are taken out again
#   earlier.patch  leads from the instance's commit back to one before it
set -euo pipefail
changes=/tmp/changes
export GIT_AUTHOR_NAME=upstream GIT_AUTHOR_EMAIL=upstream@example.invalid GIT_AUTHOR_DATE='2025-01-01T00:00:00Z'
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE

cd /testbed
has() { [ -e "$changes/$1" ]; }
if has bug.patch; then
  git apply "$changes/bug.patch"
  if git apply --reverse --check "$changes/test.patch" 2>/dev/null; then git apply --reverse "$changes/test.patch"; fi
fi

git -c init.defaultBranch=main init --quiet
commit() { git add --all --force . && git commit --quiet --message "$1"; }
if has earlier.patch; then
  git apply "$changes/earlier.patch"
  commit 'An earlier state'
  git apply --reverse "$changes/earlier.patch"
fi
commit 'The state before the fix'
# The official images end with such a commit of their setup, and `git show` of an eval script prints it.
git config --global user.email setup@swebench.config
git config --global user.name SWE-bench
unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
git commit --quiet --allow-empty --message SWE-bench
rm -rf /opt/testbed "$changes"
