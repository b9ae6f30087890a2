#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Judges a Lance server of yours with lwp-conform. Copy this file into your repository, and set what differs, below or
# in the environment. docs/ci.md explains it.
#
#   run-suite.sh           all of these, in this order
#   run-suite.sh build     lwp-conform from the sources in TESTBED, unless LWP_CONFORM names a program
#   run-suite.sh start     the server; waits until it listens
#   run-suite.sh probe     asks the server what it speaks, unless PROFILE is there
#   run-suite.sh judge     the suite; ends with lwp-conform's exit status
#   run-suite.sh summary   what came of it, for people
#   run-suite.sh stop      ends the server
set -euo pipefail

: "${TESTBED:=lwp-testbed}"                # The sources of the testbed.
: "${LWP_CONFORM:=}"                       # The program, if you have it already.
: "${SERVER_CMD:=}"                        # Starts your server in the foreground; empty: it runs already.
: "${ADDRESS:=127.0.0.1:1992}"             # Where it listens, or, behind an @, a file in which it says so.
: "${START_SECS:=30}"                      # How long that may take.
: "${AUTH_TOKEN:=}"                        # The token that it wants, if it wants one.
: "${PROFILE:=ci/lwp/server.profile}"      # What it speaks; keep this file in your repository.
: "${EXPECT:=ci/lwp/expectations.txt}"     # What is known to fail; this one, too.
: "${BASELINE:=}"                          # The JSON Lines of an earlier run, to hear of changes only.
: "${LWP_OPTIONS:=}"                       # More options of lwp-conform, parted by blanks.
: "${REPORTS:=conformance-reports}"        # All that comes of it goes here.

mkdir -p "$REPORTS"
pid_file=$REPORTS/server.pid

conform() {
    local program=${LWP_CONFORM:-$TESTBED/build/release/bin/lwp-conform}
    "$program" "$@"
}

address() {
    case $ADDRESS in
        @*) cat "${ADDRESS#@}" 2>/dev/null || true ;;
        *) echo "$ADDRESS" ;;
    esac
}

listens() {
    local at host
    at=$(address)
    host=${at%:*}
    [[ -n $at ]] && (exec 3<>"/dev/tcp/${host//[\[\]]/}/${at##*:}") 2>/dev/null
}

build() {
    [[ -z $LWP_CONFORM ]] || return 0
    (cd "$TESTBED" && ci/deps build && cmake --preset release &&
        cmake --build --preset release --target lwp-conform)
}

start() {
    [[ -n $SERVER_CMD ]] || return 0
    # In a group of its own, so that stop ends what it starts, too.
    setsid bash -c "$SERVER_CMD" >"$REPORTS/server.log" 2>&1 </dev/null &
    echo $! >"$pid_file"
    for ((i = 0; i < START_SECS * 20; i++)); do
        ! listens || return 0
        kill -0 "$(<"$pid_file")" 2>/dev/null || break
        sleep 0.05
    done
    echo "run-suite.sh: the server does not listen at $ADDRESS: see $REPORTS/server.log" >&2
    return 3
}

probe() {
    local options=()
    [[ ! -e $PROFILE ]] || return 0
    [[ -z $AUTH_TOKEN ]] || options+=(--auth-token "$AUTH_TOKEN")
    mkdir -p "$(dirname "$PROFILE")"
    conform probe "$(address)" --output "$PROFILE" "${options[@]}"
    cp "$PROFILE" "$REPORTS/server.profile"
    echo "run-suite.sh: $PROFILE is new: look at it, and commit it"
}

judge() {
    local options=(--profile "$PROFILE") more=() status=0
    [[ ! -e $EXPECT && $LWP_OPTIONS != *--update-expect* ]] || options+=(--expect "$EXPECT")
    [[ -z $AUTH_TOKEN ]] || options+=(--auth-token "$AUTH_TOKEN")
    [[ -z $BASELINE ]] || options+=(--baseline "$BASELINE")
    read -ra more <<<"$LWP_OPTIONS"
    options+=("${more[@]}")
    rm -f "$REPORTS"/conformance.*
    conform server "$(address)" "${options[@]}" --text "$REPORTS/conformance.txt" \
        --junit "$REPORTS/conformance.xml" --jsonl "$REPORTS/conformance.jsonl" \
        --markdown "$REPORTS/conformance.md" || status=$?
    [[ ! -e $REPORTS/conformance.txt ]] || cat "$REPORTS/conformance.txt"
    return "$status"
}

summary() {
    [[ -e $REPORTS/conformance.md ]] || return 0
    cat "$REPORTS/conformance.md" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
}

stop() {
    local pid
    [[ -e $pid_file ]] || return 0
    pid=$(<"$pid_file")
    kill -TERM -- "-$pid" 2>/dev/null || true
    for ((i = 0; i < 200; i++)); do
        kill -0 -- "-$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
    rm -f "$pid_file"
}

all() {
    local status=0
    trap stop EXIT
    build
    start
    probe
    judge || status=$?
    summary
    return "$status"
}

case ${1:-all} in
    build | start | probe | judge | summary | stop | all) "${1:-all}" ;;
    *)
        echo "run-suite.sh: no such step: $1" >&2
        exit 64
        ;;
esac
