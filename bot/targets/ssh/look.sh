# Looking, which leaves nothing on a machine: given to sh as a whole, after head.sh.

verb_machine() {
  end machine "$(cat /etc/machine-id)" "$(boot)" "$(uname -n)" "$(id -u)"
}

verb_ask() { # LIMIT COMMAND...
  exec timeout -k 1 "$@" </dev/null
}

traits() {
  label='?'
  [ ! -e /sys/fs/selinux/enforce ] || label=$(stat -L -c %C -- "$1" 2>/dev/null || echo '?')
  stat -L -c '%a %U %G %s' -- "$1" | { read -r rest && echo "$rest $label"; }
}

verb_read() { # PATH LIMIT: its content on stdout, cut off at LIMIT bytes unless that is 0
  [ -e "$1" ] || end none
  [ -f "$1" ] || end irregular
  say file "$(traits "$1")"
  if [ "$2" = 0 ]; then cat -- "$1"; else head -c "$2" -- "$1"; fi 2>/dev/null || end failed
  end whole "$(stat -L -c %s -- "$1")"
}
