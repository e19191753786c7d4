#!/usr/bin/env bash
# tools/layers, tools/style, ./run and tools/lib.sh: each case is a small tree or call and what must come.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/lib.sh"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
FAILED=0
RAN=0

# expect NAME STATUS PATTERN COMMAND…   PATTERN is looked for in all output; empty = no output at all.
expect() {
    local name=$1 status=$2 pattern=$3 got=0 output
    shift 3
    RAN=$((RAN + 1))
    output=$("$@" 2>&1) || got=$?
    if [[ $got == "$status" && ((-z $pattern && -z $output) || (-n $pattern && $output =~ $pattern)) ]]; then return; fi
    say "FAILED $name: exit $got (wanted $status), output: ${output:-nothing} (wanted: ${pattern:-nothing})"
    FAILED=$((FAILED + 1))
}

# tree FILE LINE…   A tree of one file.
tree() {
    local file=$WORK/tree/$1
    shift
    rm -rf "$WORK/tree"
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$@" >"$file"
}

layer() { # NAME STATUS PATTERN FILE INCLUDE
    tree "$4" "#include $5"
    expect "layers: $1" "$2" "$3" "$ROOT/tools/layers" "$WORK/tree"
}

layer 'core may use base' 0 '' lib/core/a.c '"base/mem.h"'
layer 'core may not use io' 1 'lib/core/a.c:1: lib/core may not include "io/loop.h"' lib/core/a.c '"io/loop.h"'
layer 'io may name the event' 0 '' lib/io/a.c '"core/event.h"'
layer 'io may not use other core' 1 'may not' lib/io/a.c '"core/lanes.h"'
layer 'codec may not use io' 1 'may not' lib/codec/a.c '"io/loop.h"'
layer 'base uses nothing' 1 'may not' lib/base/a.h '"core/event.h"'
layer 'a program uses all of lib' 0 '' consumer/a.c '"io/loop.h"'
layer 'programs do not meet' 1 'may not' consumer/a.c '"producer/shim.h"'
layer 'yyjson in codec' 0 '' lib/codec/a.c '<yyjson.h>'
layer 'yyjson elsewhere' 1 'belongs to lib/codec' producer/a.c '<yyjson.h>'
layer 'curl elsewhere' 1 'belongs to lib/io' consumer/a.c '<curl/curl.h>'
layer 'sqlite elsewhere' 1 'belongs to dashboard' lib/io/a.c '<sqlite3.h>'
layer 'climbing' 1 'do not climb' lib/core/a.c '"../base/mem.h"'

style() { # NAME STATUS PATTERN FILE LINE…
    tree "${@:4}"
    expect "style: $1" "$2" "$3" "$ROOT/tools/style" "$WORK/tree"
}

style 'clean' 0 '' a.c 'int a;'
style 'banned call' 1 'a.c:2: strcpy' a.c 'int a;' 'x = strcpy(a, b);'
style 'banned word in a comment' 0 '' a.c '/* never strcpy(a, b) */'
style 'banned word in a text' 0 '' a.c 'char *a = "strcpy(a)";'
style 'a longer name' 0 '' a.c 'my_strcpy(a);'
style 'unfinished' 1 'unfinished' a.c '/* TO''DO: all of it */'
style 'long line' 1 'a.c:1: 101 columns' a.c "$(printf '%0101d' 0)"
style 'columns, not bytes' 0 '' a.c "/* $(printf 'ç%.0s' {1..90}) */"
style 'trailing blank' 1 'a.c:1' a.c 'int a; '
style 'header without guard' 1 'pragma once' a.h 'int a;'

expect 'run: unknown verb' 64 'unknown verb "tset"' "$ROOT/run" tset
expect 'run: help' 0 'demo ' "$ROOT/run" help
expect 'deps: unknown group' 1 'unknown group' "$ROOT/tools/deps.sh" nothing
expect 'kafka: usage' 64 'kafka.sh start DIR' "$ROOT/tools/kafka.sh"
expect 'kafka: nothing runs' 1 'stopped' "$ROOT/tools/kafka.sh" status "$WORK/kafka"
expect 'is_ours: another process' 1 '' is_ours $$ "$WORK/nobody-has-this"
expect 'is_ours: this one' 0 '' is_ours $$ tools_test.sh
expect 'is_ours: no pid' 1 '' is_ours 'x' y

# A pid file that names somebody else's process: stop must leave it alone.
sleep 60 &
STRANGER=$!
mkdir -p "$WORK/kafka"
echo "$STRANGER" >"$WORK/kafka/pid"
expect 'kafka: stop of a stranger' 0 '' "$ROOT/tools/kafka.sh" stop "$WORK/kafka"
expect 'kafka: the stranger lives' 0 '' kill -0 "$STRANGER"
kill "$STRANGER"

say "$((RAN - FAILED)) of $RAN cases hold"
((FAILED == 0))
