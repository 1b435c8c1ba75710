# What this node and this image must offer, and what is only reported: the pod cannot write sysctls.

# Once it was found to be right it stays so: an image does not change under its container.
check_node() {
  [ -z "$node_checked" ] || return 0
  check_image || return 1
  has_net_admin || { problem 'NO-NET-ADMIN the container lacks the capability NET_ADMIN'; return 1; }
  node_checked=yes
}

check_image() {
  for program in awk sha256sum sed; do
    command -v "$program" >/dev/null 2>&1 || { problem "NO-PROGRAM the image has no $program"; return 1; }
  done
  find_ip || { problem 'NO-PROGRAM the image has no ip'; return 1; }
  # BusyBox ip ignores `proto` when it lists and flushes: it would take foreign routes for ours.
  ip -V 2>&1 | grep -q iproute2 || { problem 'NO-IPROUTE2 ip is not the one of iproute2; use an image that has it'; return 1; }
  choose_numbers
}

# The shell of BusyBox may prefer its own ip to the one in PATH, so ours is called by its path.
find_ip() {
  ip_program=$(
    IFS=:
    for folder in $PATH; do
      if [ -x "$folder/ip" ]; then echo "$folder/ip"; break; fi
    done
  )
  [ -n "$ip_program" ]
}

ip() { "$ip_program" "$@"; }

# CAP_NET_ADMIN is bit 12 of the effective set, which /proc gives as 16 hexadecimal digits.
has_net_admin() {
  case $(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status) in
    *[13579bdf]???) return 0 ;;
  esac
  return 1
}

# iproute2 before 5.x cannot write all names as numbers.
choose_numbers() {
  numeric=''
  if ip -N -V >/dev/null 2>&1; then numeric=-N; fi
}

# has_name NUMBER: true when this image gives the protocol number a name, which `ip` would then print.
has_name() {
  cat /etc/iproute2/rt_protos /etc/iproute2/rt_protos.d/* /usr/share/iproute2/rt_protos 2>/dev/null | grep -q "^[[:space:]]*$1[[:space:]]"
}

warn_of_sysctls() {
  [ -s "$state/good/routes" ] || return 0
  [ "$(read_sysctl ip_forward)" = 1 ] || problem 'WARNING net.ipv4.ip_forward is 0: this node forwards no pod traffic'
  # Strict filtering drops packets that come in where the answer would not go out; with one interface that cannot be.
  case $devices in *' '*) ;; *) return 0 ;; esac
  for device in $devices; do
    if is_strict "$device"; then problem "WARNING rp_filter of $device is strict and routes use several interfaces: packets of other clusters may be dropped"; fi
  done
}

# The kernel takes the larger of `all` and the interface's own value; 1 is strict, 2 is loose.
is_strict() {
  filter_all=$(read_sysctl conf/all/rp_filter)
  filter_own=$(read_sysctl "conf/$1/rp_filter")
  [ "${filter_all:-0}" -le 1 ] && [ "${filter_own:-0}" -le 1 ] && [ "$((${filter_all:-0} + ${filter_own:-0}))" -ge 1 ]
}

read_sysctl() {
  value=''
  { read -r value <"/proc/sys/net/ipv4/$1"; } 2>/dev/null
  echo "$value"
}
