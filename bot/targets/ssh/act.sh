# Work, after head.sh and state.sh; work.sh lies beside it. STATE/runs/RUN/KEY is a piece of work:
#   record  pid, start time and boot of the process that carries it out (see work.sh)
#   out     what it printed              said    how much of that is stored elsewhere, in bytes
#   status  its exit status, at the end  kept    nothing was started, and nothing will be
# Such a folder appears whole, by one rename, so that of two who come at once one has it.

began_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

carried() { # by the very process that took it up
  read -r pid began booted <"$mark/record" 2>/dev/null || return 1
  [ "$booted" = "$(boot)" ] && [ "$(began_at "$pid")" = "$began" ]
}

heirs() { grep -lzxF "QUORUMBOT_MARK=$mark" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }

members() { # all processes of the work, but for the one that will write its status
  heirs
  carried && cat /proc/[0-9]*/stat 2>/dev/null |
    sed -n "s/^\([0-9]*\) (.*) [^ZX] [0-9]* [0-9]* $pid .*/\1/p" | grep -vx "$pid"
}

alive() { carried || [ -n "$(heirs)" ]; }

look() {
  size=0
  [ ! -e "$mark/out" ] || size=$(stat -c %s "$mark/out")
  if [ -e "$mark/kept" ]; then end never
  elif [ -s "$mark/status" ]; then end ended "$(cat "$mark/status")" "$size"
  elif alive; then end running "$size"
  elif [ -s "$mark/status" ]; then look
  else end lost "$size"
  fi
}

name_mark() { # RUN KEY
  run=$state/runs/$1 mark=$state/runs/$1/$2
}

keep() { # take the mark, unless it is taken
  [ ! -d "$mark" ] || return 0
  [ ! -f "$run" ] || end never
  problem=$(mkdir -p "$run" 2>&1) || end failed "$problem"
  new=$(mktemp -d "$run/.new-XXXXXX") || end failed "nothing can be written to $run"
  : >"$new/kept"
  mv -T "$new" "$mark" 2>/dev/null || rm -rf "$new"
  sync "$run" "$state/runs"
}

sweep() { # what is a week old, and not in use
  find "$state/runs" -mindepth 1 -maxdepth 1 -mmin +10080 | while read -r old; do
    for mark in "$old"/*/; do
      mark=${mark%/}
      [ ! -d "$mark" ] || ! alive || continue 2
    done
    rm -rf "$old" "$state/files/${old##*/}"
  done
  find "$state/files" -mindepth 1 -maxdepth 1 -mmin +10080 | while read -r old; do
    [ -e "$state/runs/${old##*/}" ] || rm -rf "$old"
  done
}

verb_run() { # RUN KEY LIMIT SIZE FROM COMMAND...
  own_state
  sweep
  name_mark "$1" "$2"
  limit=$3 size=$4 from=$5 work=${0%.sh}-work.sh
  shift 5
  if [ ! -d "$mark" ]; then
    [ ! -f "$run" ] || end forgotten
    problem=$(mkdir -p "$run" 2>&1) || end failed "$problem"
    new=$(mktemp -d "$run/.new-XXXXXX") || end failed "nothing can be written to $run"
    problem=$(head -c "$size" 2>&1 >"$new/stdin") || { rm -rf "$new"; end failed "$problem"; }
    [ "$(stat -c %s "$new/stdin")" = "$size" ] || { rm -rf "$new"; end short; }
    command -v setsid >/dev/null || end failed "setsid, of util-linux, is not installed"
    [ -f "$work" ] || end failed "$work is not there"
    setsid sh "$work" "$new" "$mark" "$limit" "$@" </dev/null >/dev/null 2>&1 &
    while [ ! -d "$mark" ] && [ -d "$new" ]; do sleep 0.01; done
    [ -d "$mark" ] || end failed "nothing can be written to $run"
  fi
  [ ! -e "$mark/kept" ] || end never
  gone=$(cat "$mark/said" 2>/dev/null || echo 0) # its space was given back
  [ "$from" -ge "$gone" ] || from=$gone
  say from "$from"
  if carried; then
    tail -c "+$((from + 1))" -s 0.05 -f --pid="$pid" "$mark/out"
  else
    tail -c "+$((from + 1))" "$mark/out"
  fi
  look
}

verb_said() { # RUN KEY BYTES: they are stored elsewhere, and need no space any more
  name_mark "$1" "$2"
  [ -d "$mark" ] || end gone
  echo "$3" >"$mark/.said.$$" && mv "$mark/.said.$$" "$mark/said"
  [ "$3" -lt 4096 ] || fallocate -p -o 0 -l "$(($3 / 4096 * 4096))" "$mark/out" 2>/dev/null
  end noted
}

verb_settle() { # RUN KEY
  own_state
  name_mark "$1" "$2"
  keep
  look
}

wait_for_end() { # TENTHS
  tenths=$1
  while [ "$tenths" -gt 0 ] && [ ! -s "$mark/status" ] && alive; do
    sleep 0.1
    tenths=$((tenths - 1))
  done
}

verb_stop() { # RUN KEY
  own_state
  name_mark "$1" "$2"
  keep
  [ -e "$mark/kept" ] || for signal in TERM KILL; do
    found=$(members)
    tenths=50
    while [ -n "$found" ] && [ "$tenths" -gt 0 ]; do
      # Again and again, for it may have started more meanwhile.
      [ "$signal" = TERM ] && [ "$tenths" -lt 50 ] || kill -s "$signal" $found 2>/dev/null
      sleep 0.1
      tenths=$((tenths - 1))
      found=$(members)
    done
  done
  wait_for_end 50
  [ -z "$(members)" ] || end running 0
  look
}

verb_forget() { # RUN
  own_state
  run=$state/runs/$1
  for mark in "$run"/*/; do
    mark=${mark%/}
    [ ! -d "$mark" ] || ! alive || end busy
  done
  old=$(mktemp -d "$state/runs/.old-XXXXXX") || end failed "nothing can be written to $state"
  [ ! -d "$run" ] || mv "$run" "$old/"
  : >>"$run" # so that nothing of it starts late
  rm -rf "$old" "$state/files/$1"
  end forgotten
}
