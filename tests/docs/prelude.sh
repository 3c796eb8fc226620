# What the commands of a page find: programs that fail where a reader would see an error, and a database.
set -euo pipefail
SERVICE= SERVICE_PID= DATABASES=
trap clean_up EXIT

# Fails for an answer that is an error. A stream is cut off after a moment, which is no failure.
curl() {
  local outcome=0 seconds=30
  [[ " $* " != *" -sNH "* ]] || seconds=2
  command curl --fail-with-body --max-time "$seconds" "$@" || outcome=$?
  [[ $outcome == 28 && $seconds == 2 ]] || return "$outcome"
}

psql() {
  command psql --no-psqlrc --set=ON_ERROR_STOP=1 "$@"
}

# `deno task start` goes on in the background once it serves; what it and `deno task token` print can be filled in.
deno() {
  case "$*" in
    "task start") start_service ;;
    "task token "*)
      MADE=$("$DENO" "$@")
      echo "$MADE"
      MADE_TOKEN=$(grep '^ta_' <<<"$MADE")
      MADE_LINE=$(grep '_TOKENS=' <<<"$MADE" | cut -d= -f2-)
      ;;
    *) "$DENO" "$@" ;;
  esac
}

start_service() {
  local line
  stop_service
  exec {SERVICE_OUTPUT}< <(exec "$DENO" task start 2>&1)
  SERVICE_PID=$!
  while IFS= read -r line <&"$SERVICE_OUTPUT"; do
    echo "$line"
    case $line in
      *'"address":"http://'*) SERVICE=$(sed 's/.*"address":"http:..\([^"]*\)".*/\1/' <<<"$line") ;;
      *"  Database  "*) STARTED_DATABASE=${line##* } ;;
      *"  Admin token  "*) STARTED_TOKEN=$(grep -o 'ta_[^ ]*' <<<"$line") ;;
    esac
    if [[ $line == *Ctrl-C* ]] || { [[ $line == *'"msg":"listening"'* ]] && printenv DATABASE_URL >/dev/null; }; then
      cat <&"$SERVICE_OUTPUT" >>"$FOLDER/service.log" &
      return
    fi
  done
  echo "the service has ended"
  return 1
}

stop_service() {
  [[ -n $SERVICE_PID ]] || return 0
  kill -TERM "$SERVICE_PID"
  tail --pid="$SERVICE_PID" -f /dev/null
  SERVICE_PID=
}

# A database of the page's own, named by DATABASE_URL: a copy of the migrated one, or of the one named.
use_database() {
  stop_service
  local name=docs_$$_$RANDOM
  psql -q "$SERVER" -c "create database $name template ${1:-test_template}"
  DATABASES="$DATABASES $name"
  export DATABASE_URL=${SERVER%/*}/$name
}

# The default trainer, and what the README has of a running service.
serve() {
  deno task token docs admin
  export ADMIN_TOKENS=$MADE_LINE
  deno task start
  TRAINER=d18a21c8-be77-496f-a2fd-ec6479ecba6d
  TOKEN=$MADE_TOKEN
  BASE=http://$SERVICE
  AUTH="Authorization: Bearer $TOKEN"
}

# Roles are the server's: whoever makes some names them.
drop_roles() {
  local role
  for role in $ROLES; do psql -q "$SERVER" -c "drop role if exists $role"; done 2>/dev/null
}

clean_up() {
  local outcome=$? name
  stop_service
  for name in $DATABASES; do psql -q "$SERVER" -c "drop database if exists $name with (force)"; done
  [[ -z ${ROLES:-} ]] || drop_roles
  exit "$outcome"
}
