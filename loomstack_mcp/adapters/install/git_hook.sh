#!/bin/sh
# loomstack git hook 1, written by `loomstack-mcp init`; `loomstack-mcp uninstall` takes it out again.
# The hook that was here before is beside it, __NAME__.loomstack-kept: it runs first, and its failure stands.
name=__NAME__
# Login shells and programs with windows may have another PATH than the shell of `init`.
program=__PROGRAM__
ours=$(command -v loomstack-hook) || ours=$program
# `loomstack-mcp doctor` asks so whether git would run this; git itself never does.
[ "$1" != --loomstack-canary ] || exec "$ours" git canary
kept=${0%/*}/$name.loomstack-kept

run_kept() {
  [ -x "$kept" ] || return 0
  # pre-commit moves a hook that it finds to NAME.legacy and calls it; one of its own it refuses to be called by.
  case ${0##*/} in "$name") ;; *) ! grep -q hook-impl "$kept" || return 0 ;; esac
  IFS= read -r first <"$kept" || :
  shell=${first%% -*}
  case ${shell##*[/ ]} in
  # Under the name that it had: husky's, for one, look by it for what to do.
  sh | bash | dash | ksh | zsh) ${first#??} -c 'kept=$1; shift; . "$kept"' "$0" "$kept" "$@" ;;
  *) "$kept" "$@" ;;
  esac
}

run_ours() {
  if [ ! -x "$ours" ]; then
    case $name in pre-*) # once for a commit, and for a push
      echo "loomstack-hook is not on PATH, so LoomStack did nothing at this ${name#pre-}; install it again (to be" \
        "without it, run loomstack-mcp uninstall then)" >&2 ;;
    esac
    return 0
  fi
  "$ours" git "$name" "$@"
  # Any other status is a broken installation, which keeps nobody from committing.
  case $? in 0) ;; 10) return 1 ;; *) echo "loomstack-hook failed at $name; run loomstack-mcp doctor" >&2 ;; esac
}

case $name in
pre-push | post-rewrite) # git says on stdin what is pushed or rewritten: both get all of it
  given=$(cat && echo .)
  printf %s "${given%.}" | run_kept "$@"
  status=$?
  asked() { printf %s "${given%.}" | run_ours "$@"; }
  ;;
*)
  run_kept "$@"
  status=$?
  asked() { run_ours "$@"; }
  ;;
esac
case $name in
post-*) asked "$@" ;;
*) [ $status -ne 0 ] || asked "$@" || status=1 ;;
esac
exit $status
