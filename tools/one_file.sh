# What the one file does when it is started: it unpacks what follows these lines, once, and hands over to it. The lines
# before say the name of what is unpacked, the number of all these lines, where dbmate is in it, and what the service may
# read beside itself.
set -eu

cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
if [ -z "$cache" ]; then
  echo "error: this file unpacks itself: set XDG_CACHE_HOME to a folder that this account alone can write" >&2
  exit 1
fi

place=$cache/trainer-assignment/$name
if [ ! -e "$place" ]; then
  umask 077
  fresh=
  give_up() {
    rm -rf "$fresh"
    echo "error: cannot unpack 200 MB into $cache/trainer-assignment: set XDG_CACHE_HOME to another folder" >&2
  }
  trap give_up EXIT
  trap 'exit 130' INT TERM
  mkdir -p "$cache/trainer-assignment"
  fresh=$(mktemp -d "$place.XXXXXX")
  tail -n "+$((lines + 1))" "$0" | tar -xzf - -C "$fresh"
  # All of it is there from one moment on. Of two that start at once the later uses what the other unpacked.
  if ! ln -sn "${fresh##*/}" "$place" 2>/dev/null; then
    if [ -e "$place" ]; then rm -rf "$fresh"; else ln -sfn "${fresh##*/}" "$place"; fi # its target was deleted
  fi
  trap - EXIT INT TERM
fi

place=$(cd "$place" && pwd -P) # permissions are for paths without links
# The service itself may run no program, and of all files read its own and that of the CA. The commands that an operator
# types may read the files that they name, and run dbmate.
case "${1-}" in
start) set -- -P=service "--allow-read=$place/app,$reads${DATABASE_CA_FILE:+,$DATABASE_CA_FILE}" "$place/app/main.ts" "$@" ;;
*) set -- -P=service --allow-read "--allow-run=$place/$dbmate" "$place/app/main.ts" "$@" ;;
esac

export DENO_DIR="$place/deno-dir" DENO_NO_UPDATE_CHECK=1
exec "$place/deno" run -q --cached-only --node-modules-dir=none --no-prompt --config "$place/app/deno.json" "$@"
