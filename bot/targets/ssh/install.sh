# Puts the other scripts where they are run from, after head.sh and state.sh.

verb_install() { # NAME SIZE WORK_SIZE: takes both scripts, one after the other
  own_state
  name=$1
  cd "$state/wrapper" || end failed "$state/wrapper cannot be used"
  for old in $(find . -name '[0-9a-f]*.sh' ! -name '*-work.sh' -mmin +10080); do
    rm -f "$old" "${old%.sh}-work.sh"
  done
  temp=$(mktemp -d ./.new-XXXXXX 2>&1) || end failed "$temp"
  trap 'rm -rf "$temp"' EXIT
  trap '' PIPE
  problem=$(head -c "$2" 2>&1 >"$temp/act") || end failed "$problem"
  problem=$(head -c "$3" 2>&1 >"$temp/work") || end failed "$problem"
  [ "$(stat -c %s "$temp/act" "$temp/work")" = "$(printf '%s\n%s' "$2" "$3")" ] || end short
  # The first that is looked for is the last to be there.
  mv "$temp/work" "$name-work.sh" && mv "$temp/act" "$name.sh" || end failed "mv failed"
  end installed
}
