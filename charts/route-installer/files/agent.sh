#!/bin/sh
# The agent of route-installer: keeps the routes to the pods of other clusters on this node.
#   agent.sh keep    until it is told to stop: look when a file, a link or a route changes, and every ISTHMUS_INTERVAL seconds
#   agent.sh once    one look for a Job: exit 0 when the kernel is as wanted, else 1 with the reason in the termination log
#   agent.sh check   one look that changes nothing, for `helm test`: as `once`, but without any capability; nat rules are not looked at
#   agent.sh probe   exit 0 when `keep` found the kernel as wanted at its last look (readiness)
# Routes stay when it stops: an upgrade or a crash must not cut the clusters apart. Only mode remove takes them away.
# Needs a POSIX shell, awk, sha256sum and the real iproute2; NET_ADMIN is its only capability.
set -u
export LC_ALL=C

code=$(dirname "$0")
desired=${ISTHMUS_DESIRED:-/etc/isthmus}
state=${ISTHMUS_STATE:-/run/isthmus}
expected=${ISTHMUS_REVISION:-}
interval=${ISTHMUS_INTERVAL:-30}
patience=${ISTHMUS_PATIENCE:-120}
termination_log=${ISTHMUS_TERMINATION_LOG:-/dev/termination-log}
# The default lock of legacy iptables lies on the read-only root.
export XTABLES_LOCKFILE="$state/xtables.lock"

accepted='' revision='' fresh='' numeric='' node_checked='' ip_program='' devices='' said='' masquerade_clean='' stopping='' woken='' changes=''
monitor='' reader=''
desired_line=''

# shellcheck source=SCRIPTDIR/desired.sh
. "$code/desired.sh"
# shellcheck source=SCRIPTDIR/routes.sh
. "$code/routes.sh"
# shellcheck source=SCRIPTDIR/masquerade.sh
. "$code/masquerade.sh"
# shellcheck source=SCRIPTDIR/node.sh
. "$code/node.sh"
# shellcheck source=SCRIPTDIR/loop.sh
. "$code/loop.sh"

problem() { echo "$*" >>"$state/problems"; }
say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*"; }

# One look: accept a changed desired set, bring the kernel in line, report. Returns 0 when everything is as wanted.
# A set that cannot be used changes nothing: what was in use before is kept, and mended when it is damaged.
look() {
  : >"$state/problems"
  changes=''
  fresh=''
  if check_node; then
    load_desired
    sync_routes && probe_sample
    sync_masquerade
    check_revision
    warn_of_sysctls
  fi
  report
}

# A mounted file may be older or newer than the pod, for as long as the kubelet takes to refresh it.
check_revision() {
  in_use=$(revision_in_use)
  [ -z "$expected" ] || [ "$in_use" = "$expected" ] || problem "REVISION ${in_use:-none} is in use, this pod waits for $expected"
}

revision_in_use() { short "$accepted"; }

# The verdict, for the probe and for people. A SKIPPED route or a WARNING is told but does not make the node not ready.
report() {
  : >"$state/reasons"
  if [ -s "$state/problems" ]; then grep -Ev '^(SKIPPED|WARNING) ' "$state/problems" >"$state/reasons"; fi
  verdict=ready
  if [ -s "$state/reasons" ] || [ -z "$accepted" ]; then verdict=not-ready; fi
  {
    echo "$verdict $(revision_in_use) $(date +%s)"
    cat "$state/problems"
  } >"$state/status.new" && mv "$state/status.new" "$state/status"
  now_said="$verdict $(revision_in_use) $(sha256sum <"$state/problems")"
  if [ "$now_said" != "$said" ]; then
    said=$now_said
    say "$verdict, revision $(revision_in_use)"
    summary "$state/problems"
  fi
  [ "$verdict" = ready ]
}

# At most 20 lines: what is shown in events and in the termination log is cut anyway.
summary() {
  head -n 20 "$1"
  lines=$(wc -l <"$1")
  [ "$lines" -le 20 ] || echo "... and $((lines - 20)) more"
}

# A Job's volume may still be older than the Job, so `once` waits for its own revision, but for nothing else.
once() {
  waited=0
  until look; do
    grep -q '^REVISION ' "$state/problems" || grep -q '^BAD-FILE ' "$state/problems" || break
    [ "$waited" -lt "$patience" ] || break
    sleep 1
    waited=$((waited + 1))
  done
  conclude
}

# The verdict as an exit code, with its reasons where Kubernetes shows them.
conclude() {
  [ "$verdict" != ready ] || exit 0
  if [ -w "$termination_log" ]; then summary "$state/reasons" | cut -c1-300 >"$termination_log"; fi
  exit 1
}

# Rows that `once` would change are what is wrong.
check() {
  : >"$state/problems"
  if check_image && load_desired && list_kernel && compare "$state/next" && accept_next; then
    sed 's/^route add /MISSING /; s/^route replace /MISSING /; s/^route del /LEFT-OVER /' "$state/batch" | cat "$state/found" - >>"$state/problems"
    probe_sample
    check_revision
    warn_of_sysctls
  fi
  report
  conclude
}

# A verdict that is too old means that the loop hangs: then nobody keeps the routes.
probe() {
  { read -r verdict _ stamp <"$state/status"; } 2>/dev/null || { echo 'no look at the routes yet'; exit 1; }
  [ $(($(date +%s) - stamp)) -le $((interval * 3 + 60)) ] || { echo 'the last look is too old'; exit 1; }
  [ "$verdict" != ready ] || exit 0
  sed 1d "$state/status" | head -n 20
  exit 1
}

case ${1:-} in
  keep) keep ;;
  once) once ;;
  check) check ;;
  probe) probe ;;
  *) echo "usage: agent.sh keep|once|check|probe" >&2; exit 2 ;;
esac
