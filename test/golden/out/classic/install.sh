#!/bin/sh
# Installs mesh bookinfo (Istio 0.8.0) from this folder with helm alone, for where isthmus itself may not run.
# Made by isthmus 0.1.0. Needs a POSIX shell and helm 3.14 or later (3.17 where a namespace exists already).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
helm=${ISTHMUS_HELM:-helm}
command=install
kubeconfig=
timeout=10m
context_1=icp-1
kubeconfig_1=
server_1=
context_2=icp-2
kubeconfig_2=
server_2=

usage() {
  cat <<'END'
Usage: ./install.sh [install|uninstall] [--kubeconfig FILE] [--timeout 10m] [--server CLUSTER=URL] [CLUSTER=CONTEXT ...]

  CLUSTER=CONTEXT       context of a cluster in the kubeconfig, instead of that of mesh.yaml
  --kubeconfig FILE     kubeconfig of all clusters, instead of those of mesh.yaml
  --timeout 10m         how long to wait for one release
  --server CLUSTER=URL  API server of a remote, https://..., as the control plane reaches it

Running it again mends what is missing. ISTHMUS_HELM names the helm to use.
END
  say "Clusters: cluster1=${context_1:-?} cluster2=${context_2:-?}"
}

die() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

say() {
  printf '%s\n' "$*"
}

set_context() {
  case $1 in
    cluster1=?*) context_1=${1#*=} ;;
    cluster2=?*) context_2=${1#*=} ;;
    *) die "$1 is not CLUSTER=CONTEXT of one of: cluster1 cluster2" ;;
  esac
}

set_server() {
  case ${1#*=} in
    *[[:space:]\"\'\\]*) die "--server $1: the URL holds a character that no URL has" ;;
    https://?*) ;;
    *) die "--server $1: write CLUSTER=https://..." ;;
  esac
  case $1 in
    cluster1=*) server_1=${1#*=} ;;
    cluster2=*) server_2=${1#*=} ;;
    *) die "--server $1: the cluster is none of: cluster1 cluster2" ;;
  esac
}

while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage && exit 0 ;;
    install | uninstall) command=$1 ;;
    --kubeconfig | --timeout | --server)
      [ $# -ge 2 ] || die "$1 needs a value"
      case $1 in
        --kubeconfig) kubeconfig=$2 ;;
        --timeout) timeout=$2 ;;
        --server) set_server "$2" ;;
      esac
      shift
      ;;
    *) set_context "$1" ;;
  esac
  shift
done

# What this helm can do is asked, not guessed from its version.
command -v "$helm" >/dev/null 2>&1 || die "no helm found; put helm 3.14 or later on PATH, or name it in ISTHMUS_HELM"
upgrade_help=$("$helm" upgrade --help 2>/dev/null) || die "$helm upgrade --help failed; is it helm 3.14 or later?"
wait=--wait
take_ownership=
own_secret=
case $upgrade_help in *--dry-run\ string*) ;; *) die "$helm is too old; helm 3.14 or later is needed" ;; esac
case $upgrade_help in *"'legacy'"*) wait=--wait=legacy ;; esac
case $upgrade_help in *--take-ownership*) take_ownership=--take-ownership ;; esac
case $upgrade_help in *--force-conflicts*) own_secret='--server-side=true --force-conflicts' ;; esac

# on CLUSTER ARGUMENT... runs helm in one cluster.
on() (
  case $1 in
    cluster1) context=$context_1 own_kubeconfig=$kubeconfig_1 ;;
    cluster2) context=$context_2 own_kubeconfig=$kubeconfig_2 ;;
  esac
  [ -n "$context$own_kubeconfig" ] || die "which context is $1? Say ./install.sh $1=CONTEXT"
  shift
  case $own_kubeconfig in '' | /*) ;; *) own_kubeconfig=$here/$own_kubeconfig ;; esac
  own_kubeconfig=${kubeconfig:-$own_kubeconfig}
  [ -z "$context" ] || set -- "$@" --kube-context "$context"
  [ -z "$own_kubeconfig" ] || set -- "$@" --kubeconfig "$own_kubeconfig"
  exec "$helm" "$@"
)

# is_installed CLUSTER RELEASE NAMESPACE is true whatever state the release is in; an unreachable cluster ends the script.
is_installed() {
  releases=$(on "$1" list --short --deployed --failed --pending --superseded --uninstalling --namespace "$3" --filter "^$2\$") ||
    die "$1: cannot list releases"
  [ -n "$releases" ]
}

# check CLUSTER: it answers and is the one that the plan was made for. Nothing is written before all clusters are checked.
check() {
  on "$1" template isthmus-namespaces "$here/clusters/$1/namespaces" --namespace default --dry-run=server >/dev/null ||
    die "$1: the cluster cannot be used; nothing was changed"
}

install_namespaces() {
  say "$1: namespaces"
  # shellcheck disable=SC2086 # empty where this helm has no such flag
  on "$1" upgrade --install isthmus-namespaces "$here/clusters/$1/namespaces" --namespace default $take_ownership >/dev/null ||
    die "$1: the namespaces could not be prepared. Where one exists already, helm 3.17 or later is needed, or isthmus itself."
}

# install_release CLUSTER RELEASE NAMESPACE [FLAG...]
install_release() {
  cluster=$1 release=$2 namespace=$3
  shift 3
  say "$cluster: $release"
  on "$cluster" upgrade --install "$release" "$here/clusters/$cluster/$release" --namespace "$namespace" --timeout "$timeout" "$@" >/dev/null ||
    die "$cluster: $release was not installed. Mend what helm says above and run this again; the other clusters stay as they are."
}

# read_token REMOTE NAMESPACE prints the remote secret: only ever into a pipe.
read_token() {
  case $1 in
    cluster1) server=$server_1 ;;
    cluster2) server=$server_2 ;;
  esac
  printf '%s' "${server:+server: \"$server\"}" |
    on "$1" template remote-token "$here/clusters/$1/remote-token" --namespace "$2" --dry-run=server --values -
}

# install_secret PRIMARY REMOTE NAMESPACE hands the token of the remote from one helm to the other, past disk, arguments and screen.
install_secret() {
  say "$1: remote secret for $2"
  tries=0
  until read_token "$2" "$3" 2>/dev/null | grep -q '^kind: Secret$'; do
    tries=$((tries + 1))
    if [ "$tries" -ge 30 ]; then
      read_token "$2" "$3" >/dev/null || die "$2: the token could not be read"
      die "$2: there is no token yet; is the controller manager of the cluster running?"
    fi
    sleep 1
  done
  # shellcheck disable=SC2086 # empty or several words
  read_token "$2" "$3" |
    on "$1" upgrade --install "remote-secret-$2" "$here/clusters/$1/remote-secret-$2" --namespace "$3" --reset-values --values - \
      --history-max 1 $take_ownership $own_secret >/dev/null || die "$1: the remote secret for $2 was not installed"
  on "$1" get manifest "remote-secret-$2" --namespace "$3" | grep -q '^kind: Secret$' ||
    die "$1: the token of $2 was lost on the way; run this again"
}

# remove_release CLUSTER RELEASE NAMESPACE [SETTING [FLAG...]] upgrades with the setting before it uninstalls, where there is one.
remove_release() {
  cluster=$1 release=$2 namespace=$3
  shift 3
  is_installed "$cluster" "$release" "$namespace" || return 0
  say "$cluster: remove $release"
  if [ $# -gt 0 ]; then
    on "$cluster" upgrade "$release" "$here/clusters/$cluster/$release" --namespace "$namespace" --timeout "$timeout" --set "$@" >/dev/null ||
      die "$cluster: $release could not be prepared for removal ($1); it is still installed"
  fi
  on "$cluster" uninstall "$release" --namespace "$namespace" --timeout "$timeout" "$wait" >/dev/null || die "$cluster: $release was not removed"
}

remove_namespaces() {
  is_installed "$1" isthmus-namespaces default || return 0
  say "$1: remove labels and annotations of the namespaces; the namespaces stay"
  on "$1" upgrade isthmus-namespaces "$here/clusters/$1/namespaces" --namespace default --set mode=remove >/dev/null ||
    die "$1: the namespaces could not be cleaned"
  on "$1" uninstall isthmus-namespaces --namespace default >/dev/null || die "$1: the release of the namespaces was not removed"
}

install_mesh() {
  install_namespaces cluster1
  install_namespaces cluster2
  install_release cluster1 istio-ilb istio-system
  install_release cluster1 route-installer isthmus-system "$wait" --wait-for-jobs
  install_release cluster2 route-installer isthmus-system "$wait" --wait-for-jobs
  install_release cluster2 istio-remote-classic istio-system "$wait" --wait-for-jobs
  install_secret cluster1 cluster2 istio-system
  say 'Mesh bookinfo is installed.'
}

uninstall_mesh() {
  remove_release cluster1 remote-secret-cluster2 istio-system
  remove_release cluster2 istio-remote-classic istio-system
  remove_release cluster2 route-installer isthmus-system 'mode=remove' "$wait" --wait-for-jobs
  remove_release cluster1 route-installer isthmus-system 'mode=remove' "$wait" --wait-for-jobs
  remove_release cluster1 istio-ilb istio-system 'keep=false'
  remove_namespaces cluster1
  remove_namespaces cluster2
  say 'Mesh bookinfo is removed.'
}

check cluster1
check cluster2
"${command}_mesh"
