#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whether seeds give the same trace each time, to the byte: same.sh LWP-SIM SEED...
set -euo pipefail
readonly program=$1
shift

# trace SEED; the last line tells how long it took.
trace() {
    "$program" --seeds "$1" --verbose | grep -v '^lwp-sim: '
}

for seed; do
    first=$(trace "$seed")
    again=$(trace "$seed")
    if [[ -z $first || $first != "$again" ]]; then
        echo "seed $seed is not what it was:"
        diff <(echo "$first") <(echo "$again")
        exit 1
    fi
done
