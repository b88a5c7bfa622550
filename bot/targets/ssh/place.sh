# Putting files in their places, after act.sh.

enter() { # PATH PLACE...: go into its folder, if that is in one of the places without detours
  folder=${1%/*} name=${1##*/}
  shift
  if [ "${folder%/*}" = "$state/files" ]; then
    own_state
    problem=$(mkdir -p "$folder" 2>&1) || end failed "$problem"
  fi
  cd -P -- "${folder:-/}" 2>/dev/null || end folder
  real=$(pwd -P)
  real=${real%/}/$name
  for place; do
    if [ -d "$place" ]; then
      place=$(cd -P -- "$place" && pwd -P)
    else
      place=$(cd -P -- "${place%/*}" 2>/dev/null && pwd -P)/${place##*/}
    fi
    case $real in "$place" | "$place"/*) return ;; esac
  done
  end escapes "$real"
}

hash_of() { sha256sum <"$1" | cut -d' ' -f1; }

found() { # the SHA-256 of what is there, or -
  if [ -L "./$name" ]; then end irregular; fi
  if [ -f "./$name" ]; then
    hash_of "./$name"
  elif [ -e "./$name" ]; then
    end irregular
  else
    echo -
  fi
}

verb_hash() { # PATH
  [ -f "$1" ] || end none
  end hash "$(hash_of "$1")"
}

make_temp() {
  find . -maxdepth 1 -name '.*.quorumbot-tmp-??????' -type f -mmin +1440 -exec rm -f {} +
  temp=$(mktemp "./.$name.quorumbot-tmp-XXXXXX" 2>&1) || end failed "$temp"
  trap 'rm -f -- "$temp"' EXIT
  trap 'exit 3' HUP INT TERM
  trap '' PIPE # who asked may be gone: that is no reason to leave it behind
}

new_traits() {
  chmod "$mode" "$temp"
  if [ -e /sys/fs/selinux/enforce ]; then
    chcon --reference=. "$temp" 2>/dev/null
    restorecon "$temp" 2>/dev/null
  fi
}

same_traits() {
  chown --reference="./$name" "$temp" && chmod --reference="./$name" "$temp" &&
    { [ ! -e /sys/fs/selinux/enforce ] || chcon --reference="./$name" "$temp"; }
}

verb_write() { # PATH MODE WAS NEW SIZE PLACE...
  path=$1 mode=$2 was=$3 new=$4 size=$5
  shift 5
  enter "$path" "$@"
  now=$(found) || exit
  [ "$now" != "$new" ] || end written
  [ "$now" = "$was" ] || end changed "$now"
  make_temp
  problem=$(head -c "$size" 2>&1 >"$temp") || end failed "$problem"
  [ "$(hash_of "$temp")" = "$new" ] || end short
  if [ "$was" = - ]; then
    new_traits
    sync "$temp"
    ln -T "$temp" "./$name" 2>/dev/null || end changed "$(found)"
  else
    problem=$(same_traits 2>&1) || end failed "$problem"
    sync "$temp"
    # Hidden, for a kubelet runs whatever else lies beside a manifest.
    former=./.$name.quorumbot-$(echo "$was" | cut -c1-12)
    problem=$(ln -fT "./$name" "$former" 2>&1 || cp -aT "./$name" "$former" 2>&1) ||
      end failed "$problem"
    [ "$(hash_of "$former")" = "$was" ] || end changed "$(found)"
    problem=$(mv -fT "$temp" "./$name" 2>&1) || end failed "$problem"
  fi
  sync .
  end written
}

verb_send() { # PATH MODE PLACE...: takes lines "SIZE", each with so many bytes, and "end SHA256"
  path=$1 mode=$2
  shift 2
  enter "$path" "$@"
  now=$(found) || exit
  make_temp
  say ready
  whole=
  while IFS= read -r size; do
    case $size in
      "end "*) whole=${size#end } && break ;;
      *) problem=$(head -c "$size" 2>&1 >>"$temp") || end failed "$problem" ;;
    esac
  done
  [ -n "$whole" ] && [ "$(hash_of "$temp")" = "$whole" ] || end short
  if [ "$now" = - ]; then
    new_traits
    sync "$temp"
    ln -T "$temp" "./$name" 2>/dev/null || now=$(found) || exit
    sync .
  fi
  [ "$now" = - ] || [ "$now" = "$whole" ] || end other
  end sent "$whole"
}
