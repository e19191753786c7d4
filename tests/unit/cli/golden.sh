#!/bin/sh
# What `esteira` prints and how it ends, without any service: golden.sh PROGRAM SOURCE_DIR
# Each case is a line of the table: expected exit code | standard output holds | standard error holds |
# the command line. An empty field is not looked at; `-` means: nothing at all is printed there.
set -u
program=$1
source=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$source" || exit 1
unset NO_COLOR CLICOLOR_FORCE ESTEIRA_LANG ESTEIRA_URL ESTEIRA_TOKEN ESTEIRA_CONFIG LC_ALL LC_MESSAGES
unset DASHBOARD_URL DASHBOARD_TOKEN DASHBOARD_TIMEOUT DASHBOARD_RETRIES REDIS_URL
LANG=C
TERM=xterm
export LANG TERM
wrong=tests/unit/config/wrong
printf 'kafka: {options: {no.such: 1}}\n' >"$dir/option.yaml"
ran=0
failed=0

complain() {
    failed=$((failed + 1))
    echo "not as wanted: $1"
    sed 's/^/    out: /' "$dir/out" | head -8
    sed 's/^/    err: /' "$dir/err" | head -8
}

# holds WANTED FILE
holds() {
    case $1 in
    '') return 0 ;;
    -) test ! -s "$2" ;;
    *) grep -qF -e "$1" "$2" ;;
    esac
}

while IFS='|' read -r code out err command; do
    case $code in '' | '#'*) continue ;; esac
    ran=$((ran + 1))
    # The command line is words of this table, split on purpose.
    (eval "$command") >"$dir/out" 2>"$dir/err" </dev/null
    got=$?
    if [ "$got" -ne "$code" ]; then
        complain "$command: exit $got, wanted $code"
    elif ! holds "$out" "$dir/out" || ! holds "$err" "$dir/err"; then
        complain "$command"
    fi
done <<TABLE
# the frame
64|-|Usage:|$program
0|Usage:|-|$program --help
0|esteira 0.|-|$program --version
0|{"v":1,"kind":"version"|-|$program --version --json
64|-|did you mean "check"|$program chek
64|-|did you mean "topics apply"|$program topics aply
64|-|unknown command "frobnicate"|$program frobnicate
64|-|did you mean --json|$program check --jsno
64|-|--timeout needs a value: --timeout 10s|$program check --timeout
64|-|the value of --timeout|$program check --timeout soon
64|-|--json takes no value|$program check --json=1
64|-|check has no option --count|$program check --count 1
64|-|publish needs one more argument|$program publish
64|-|one argument too many|$program explain E-IO E-IO
64|-|always|$program check --color sometimes
64|-|the value of --lang is not right|$program check --lang de
64|-|{"v":1,"kind":"error","code":"E-USAGE"|$program chek --json
# languages
0|Uso:|-|ESTEIRA_LANG=pt $program --help
0|Uso:|-|LANG=pt_BR.UTF-8 $program check --help
0|Usage:|-|LANG=pt_BR.UTF-8 LC_ALL=C $program check --help
0|Usage:|-|ESTEIRA_LANG=pt $program --lang en check --help
64|-|comando desconhecido "chek" (você quis dizer "check"?)|$program --lang pt chek
# pause
64|-|there is no type oder (did you mean order?)|$program pause oder
64|-|there is no destination|$program resume order --destination nowhere
64|-|pause needs one more argument|$program pause
69|-|E-REDIS|REDIS_URL=unix:///nowhere.sock $program pause order --timeout 300ms
# health
64|-|there is no daemon "shim"|$program health shim
# explain
0|Kafka does not answer|-|$program explain E-KAFKA-DOWN
0|Ele está rodando?|-|$program --lang pt explain e-kafka-down
0|"code":"E-KAFKA-DOWN"|-|$program --json --lang pt explain e-kafka-down
1|-|did you mean E-KAFKA-DOWN|$program explain E-KAFKA-DWON
# check
0|producer.listen|-|$program check --offline
0|ok 9 schemas are sound|-|$program check --offline
0|✓ 9 schemas are sound|-|LANG=C.UTF-8 $program check --offline
0|9 esquemas|-|$program --lang pt check --offline
0|"key":"kafka.brokers","value":"localhost:9092","from":"file"|-|$program check --offline --json
0|DASHBOARD_URL|-|DASHBOARD_URL=http://127.0.0.1:9 $program check --offline
0|destinations.dashboard.token|-|DASHBOARD_TOKEN=s3cr3t $program check --offline
0|pipeline.yaml:|-|$program check --offline -c pipeline.yaml
0|in force:|-|$program check --explain producer.listen
64|-|did you mean producer.listen|$program check --explain producer.lisen
78|-|all-at-once.yaml:13:14: error: destinations.dashboard.retries|$program check -c $wrong/all-at-once.yaml
78|-|9 errors.|$program check -c $wrong/all-at-once.yaml
78|-|9 erros.|$program --lang pt check -c $wrong/all-at-once.yaml
78|"line":4,"column":5,"key":"destinations.dashboard.retrys"|-|$program check --json -c $wrong/unknown-key.yaml
66|-|no such file|$program check -c $dir/none.yaml
78|-|DASHBOARD_TIMEOUT: error:|DASHBOARD_TIMEOUT=soon $program check --offline
65|error schema of order|-|ESTEIRA_TYPES_ORDER_SCHEMA=README.none $program check --offline
1|warning producer.tokens_file|-|ESTEIRA_PRODUCER_TOKENS_FILE=$dir/none $program check --offline
69|Kafka does not answer|-|ESTEIRA_KAFKA_BROKERS=127.0.0.1:9 $program check --timeout 1s
# schemas, topics, tail, publish: what needs no service
0|order  sound|-|$program schemas check
0|"type":"order"|-|$program schemas check --json
65|order  wrong|-|ESTEIRA_TYPES_ORDER_SCHEMA=none.avsc $program schemas check
78|-|schema_registry.url is not set|$program schemas register
69|-|[E-REGISTRY]|ESTEIRA_SCHEMA_REGISTRY_URL=http://127.0.0.1:9 $program schemas check
69|-|[E-KAFKA-DOWN]|ESTEIRA_KAFKA_BROKERS=127.0.0.1:9 $program topics apply --timeout 1s
78|-|no.such|$program topics apply -c $dir/option.yaml
78|-|no.such|$program tail order -c $dir/option.yaml
78|no.such|-|$program check --timeout 1s -c $dir/option.yaml
78|-|[E-CONF-FILE]|ESTEIRA_SCHEMA_REGISTRY_CA_FILE=$dir/none ESTEIRA_SCHEMA_REGISTRY_URL=http://127.0.0.1:9 $program schemas check
78|registry|-|ESTEIRA_SCHEMA_REGISTRY_CA_FILE=$dir/none ESTEIRA_SCHEMA_REGISTRY_URL=http://127.0.0.1:9 ESTEIRA_KAFKA_BROKERS=127.0.0.1:9 $program check --timeout 1s
78|destination|-|ESTEIRA_DESTINATIONS_DASHBOARD_TOKEN_FILE=$dir/none ESTEIRA_KAFKA_BROKERS=127.0.0.1:9 $program check --timeout 1s
64|-|did you mean order|$program tail ordr
64|-|has no name or no|$program tail order --filter x
69|-|[E-KAFKA-DOWN]|ESTEIRA_KAFKA_BROKERS=127.0.0.1:9 $program tail order --timeout 1s
66|-|none.ndjson|$program publish $dir/none.ndjson
69||[E-CONNECT]|echo '{"event":"x","payload":{}}' | $program publish - --url http://127.0.0.1:9 --timeout 1s
64|-|http://|echo | $program publish - --url 127.0.0.1:9
64|-|standard input|echo | $program publish - --token-file -
66|-|none|echo | $program publish - --token-file $dir/none
65|"accepted":0,"buffered":0,"refused":1|-|echo 'not json' | $program publish - --json --url http://127.0.0.1:9 | tail -n 1 ; echo 'not json' | $program publish - --json --url http://127.0.0.1:9 >/dev/null
0|0 accepted|-|: | $program publish - --url http://127.0.0.1:9
# dlq
64|-|dlq replay has no option --state|$program dlq replay --state all
64|-|dlq list has no option --yes|$program dlq list --yes
64|-|dlq show needs one more argument|$program dlq show
64|-|did you mean "dlq purge"|$program dlq purg
64|-|did you mean order|$program dlq list --type ordr
64|-|did you mean dashboard|$program dlq list --destination dashbord
64|-|open|$program dlq purge --state dead
64|-|the value of --status|$program dlq list --status refused
69|-|[E-KAFKA-DOWN]|ESTEIRA_KAFKA_BROKERS=127.0.0.1:9 $program dlq list --timeout 1s
69|-|[E-KAFKA-DOWN]|ESTEIRA_KAFKA_BROKERS=127.0.0.1:9 $program dlq replay --yes --timeout 1s
78|-|no.such|$program dlq list -c $dir/option.yaml
# colour: only where it is wanted
0|[32m|-|$program check --offline --color always
0|[32m|-|CLICOLOR_FORCE=1 $program check --offline
TABLE

# no colour in a pipe, with NO_COLOR, or with --no-color
for way in '' 'NO_COLOR=1 CLICOLOR_FORCE=1' 'NO_COLOR=0 CLICOLOR_FORCE=1' 'TERM=dumb'; do
    ran=$((ran + 1))
    eval "$way $program check --offline" >"$dir/out" 2>"$dir/err"
    if grep -q "$(printf '\033')" "$dir/out"; then complain "$way: colour"; fi
done

# no secret, whatever is asked
ran=$((ran + 1))
DASHBOARD_TOKEN=s3cr3t REDIS_URL=redis://:s3cr3t@127.0.0.1:6379 "$program" check --offline >"$dir/out" 2>&1
DASHBOARD_TOKEN=s3cr3t "$program" check --offline --json >>"$dir/out" 2>&1
if grep -q s3cr3t "$dir/out"; then complain "a secret was shown"; fi

# every page of help: at most 40 lines of 80 columns, and it names its own exit codes
LC_ALL=C.UTF-8
export LC_ALL
for lang in en pt; do
    for verb in '' status publish tail trace check health explain 'topics apply' 'schemas check' 'schemas register'; do
        ran=$((ran + 1))
        # shellcheck disable=SC2086 # the verb is one or two words
        "$program" --lang $lang $verb --help >"$dir/out" 2>"$dir/err"
        lines=$(wc -l <"$dir/out")
        columns=$(awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }' "$dir/out")
        # mawk counts bytes; wc -L counts columns where there is one
        columns=$(wc -L <"$dir/out" 2>/dev/null || echo "$columns")
        if [ "$lines" -gt 40 ] || [ "$columns" -gt 80 ]; then complain "$lang $verb --help: $lines lines, $columns columns"; fi
        if ! grep -q -e Exit -e Saída "$dir/out"; then complain "$lang $verb --help: no exit codes"; fi
    done
done
unset LC_ALL

# a reader that goes away is no error of ours
ran=$((ran + 1))
("$program" check --offline; echo $? >"$dir/code") 2>"$dir/err" | head -n 1 >"$dir/out"
case $(cat "$dir/code") in 0 | 141) ;; *) complain "closed pipe: exit $(cat "$dir/code")" ;; esac

# a full disk is
ran=$((ran + 1))
if [ -w /dev/full ]; then
    "$program" check --offline >/dev/full 2>"$dir/err"
    if [ $? -ne 74 ]; then complain "full disk"; fi
fi

echo "$ran cases, $failed failed"
test "$failed" -eq 0
