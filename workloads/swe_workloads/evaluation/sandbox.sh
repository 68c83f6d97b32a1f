#!/bin/bash
# The half of a sandbox pod that runs in the instance's image: applies the prediction as the official harness does
# (swebench.harness.run_evaluation.run_instance, 5.0.2, or swe_bench_pro_eval.py), then runs eval.sh. Needs bash with
# network redirections, git and patch. Everything it says is a hint, since what it runs could say the same; what counts
# is what grade sees itself.
#
# Nothing here is exported: eval.sh starts with the environment, folder and standard input it would have had anyway.
swe_folder=${BASH_SOURCE[0]%/*}
while IFS='=' read -r swe_key swe_value; do
  case $swe_key in
    PORT) swe_port=$swe_value ;;
    WORKDIR) swe_workdir=$swe_value ;;
    TIMEOUT) swe_timeout=$swe_value ;;
    TOKEN) swe_token=$swe_value ;;
    ERRORS_PORT) swe_errors_port=$swe_value ;;
    BASE) swe_base=$swe_value ;;
    SCAN) swe_scan=$swe_value ;;
    DRY_RUN) swe_dry_run=$swe_value ;;
  esac
done <"$swe_folder/settings"

# A socket and no pipe: what the tests start can drain a pipe through /proc/self/fd/1, a socket cannot be opened again.
# Only what is started writes its errors there: the shell's own remarks, such as "Killed", are no output of the tests.
exec </dev/null >"/dev/tcp/127.0.0.1/$swe_port" 2>/dev/null
# Where the tests write their errors: to the log like everything else, or to a connection of their own.
if [ -n "$swe_errors_port" ]; then exec 9>"/dev/tcp/127.0.0.1/$swe_errors_port"; else exec 9>&1; fi

# A line of its own, whatever came before it. grade takes both line breaks for ours.
mark() { printf '\n%s %s\n' "$swe_token" "$*"; }

main() {
  if [ -n "$swe_dry_run" ]; then dry_run; return; fi
  if [ -n "$swe_base" ]; then
    prepare_pro || exit 1
  else
    ( enter && scan_history HEAD && set_up && stage_assets && apply_prediction && show_diff diff-before ) || exit 1
  fi
  mark eval
  run_tests
  mark "end $?"
  if [ -n "$swe_base" ]; then list_files after; else show_notes; fi
  ( enter && show_diff diff-after )
}

# The patch is applied as ever; then its Python files are compiled, and nothing is tested.
dry_run() {
  if [ -n "$swe_base" ]; then
    prepare_pro || exit 1
  else
    ( enter && set_up && apply_prediction ) || exit 1
  fi
  ( . "$swe_folder/environment.sh" >/dev/null 2>&1; enter && compile_changed )
  mark checked
}

# By the interpreter that the tests would have. It finds no module of the repository, whose code is not to be run.
compile_changed() {
  local python
  python=$(command -v python || command -v python3) || return 0
  mark compile
  "$python" -E -S "$swe_folder/compile_files.py" "$swe_folder/python_files" 2>/dev/null
}

# In a subshell, so that eval.sh starts where the image says.
enter() { cd "$swe_workdir" || { mark workdir-missing; return 1; }; }

# Commits that this one does not come from, whatever keeps them: branches, tags, reflogs, packs, or nothing at all.
scan_history() {
  [ -n "$swe_scan" ] || return 0
  mark leaks
  git cat-file --batch-all-objects --batch-check='%(objecttype) %(objectname)' 2>/dev/null \
    | while read -r type name; do [ "$type" = commit ] && echo "$name"; done \
    | git rev-list --ignore-missing --stdin "^$1" 2>/dev/null
  return 0
}

# The instance's own bug, where the image has none. Committed, because the resets below go back to the last commit.
set_up() {
  [ -e "$swe_folder/setup.diff" ] || return 0
  mark setup
  # Unpacked layers have other inodes and times than the index of the image remembers, and --index believes the index.
  git update-index -q --really-refresh >/dev/null 2>&1
  git apply --index --verbose "$swe_folder/setup.diff" 2>&1 \
    && git -c user.name=swe -c user.email=swe@localhost -c commit.gpgsign=false -c core.hooksPath=/dev/null \
         commit --quiet --no-verify --message='Set up the instance' 2>&1 && return 0
  mark setup-refused
  return 1
}

# Files that no text patch can carry, where eval.sh takes them from. The official harness does this after the patch, to
# the same end; before it, what goes wrong is surely not the patch's doing.
stage_assets() {
  [ -e "$swe_folder/image_assets" ] || return 0
  mark assets
  mkdir -p /image_assets 2>&1 && cp -R "$swe_folder/image_assets/." /image_assets/ 2>&1 && return 0
  mark assets-refused
  return 1
}

# GIT_APPLY_CMDS in their order. A try that fails, --reject above all, leaves half a patch behind, so each further one
# starts from a clean tree.
apply_prediction() {
  local command
  for command in 'git apply --verbose' 'git apply --verbose --3way' 'git apply --verbose --reject' \
                 'patch --batch --forward --fuzz=5 -p1 -i'; do
    [ "$command" = 'git apply --verbose' ] || { git checkout -- . ; git clean -fd; } >/dev/null 2>&1
    mark "try $command"
    $command "$swe_folder/patch.diff" 2>&1 && { mark applied; return 0; }
    mark failed
  done
  # All of them can fail on a tree that already has the patch.
  git apply --check --reverse "$swe_folder/patch.diff" >/dev/null 2>&1 && { mark already-applied; return 0; }
  mark refused
  return 1
}

# SWE-bench Pro does all of it in one shell: what these lines change is there for the tests. Whatever fails, it goes on.
prepare_pro() {
  . "$swe_folder/environment.sh" 2>&1
  enter || return 1
  mark checkout
  { git reset --hard "$swe_base"; git checkout "$swe_base"; } 2>&1
  is_at_base || { mark base-missing; return 1; }
  scan_history "$swe_base"
  mark 'try git apply -v'
  if git apply -v "$swe_folder/patch.diff" 2>&1; then mark applied; else mark failed; fi
  show_diff diff-before
  mark restore
  . "$swe_folder/restore.sh" 2>&1
  list_files before
  return 0
}

# Another commit than the row says is another instance, which nobody's patch can be blamed for.
is_at_base() {
  local head
  head=$(git rev-parse HEAD) && [ "$head" = "$(git rev-parse "$swe_base^{commit}")" ]
}

show_diff() { mark "$1"; git -c core.fileMode=false diff 2>&1; return 0; }

# Without timeout in the image, grade's clock alone ends the tests.
run_tests() {
  local watch=() limit=()
  can_watch && swe_notes=$(mktemp -d) && watch=(env "BASH_ENV=$swe_folder/watch_files.sh" "swe_notes=$swe_notes")
  command -v timeout >/dev/null && limit=(timeout -k 10 "$swe_timeout")
  "${watch[@]}" "${limit[@]}" /bin/bash "$swe_folder/eval.sh" 2>&9 9>&-
}

# An image with a BASH_ENV of its own keeps it, and a shell that follows POSIX reads none: then nothing is noted.
can_watch() {
  [ -e "$swe_folder/watch_files.sh" ] && command -v sha256sum >/dev/null && [ -z "${BASH_ENV+set}" ] && ! shopt -qo posix
}

# What watch_files.sh noted while eval.sh ran, which puts the files back as it ends.
show_notes() {
  [ -n "$swe_notes" ] || return 0
  local note
  for note in before after; do
    [ -e "$swe_notes/$note" ] && { mark "files-$note"; cat "$swe_notes/$note"; }
  done
  rm -r "$swe_notes" 2>/dev/null
  return 0
}

# SWE-bench Pro has no lines that mark its tests, and puts no file back after them: it is looked at around eval.sh.
list_files() {
  [ -e "$swe_folder/test_files" ] && command -v sha256sum >/dev/null || return 0
  mark "files-$1"
  ( mapfile -t files <"$swe_folder/test_files" && sha256sum -- "${files[@]}" ) 2>/dev/null
  return 0
}

main
