#!/usr/bin/env bash
# docker compose, run for real on an engine of its own in a folder that is gone afterwards.
#   tools/compose-test.sh [--short] [--only NAME,…]      exit 0 all passed, 1 not, 77 it cannot run here
# ESTEIRA_DOCKER=host: the machine's own Docker, with the real images, and our image built anew.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

PARTS=tests/compose

main() {
    local why state
    if [[ ${ESTEIRA_DOCKER:-} == host ]]; then
        tools/build.sh release chaos_load chaos_check
        docker compose build
        exec node "$PARTS/compose.mjs" "$@"
    fi
    why=$("$PARTS/engine.sh" possible) || { say "skipped: $why" && exit 77; }
    tools/deps.sh compose
    tools/build.sh release chaos_load chaos_check
    state=$(mktemp -d "${TMPDIR:-/tmp}/esc.XXXXXX")
    # shellcheck disable=SC2064 # the folder of now
    trap "'$ROOT/$PARTS/engine.sh' stop '$state'" EXIT
    trap 'exit 143' TERM INT HUP
    "$PARTS/engine.sh" start "$state"
    "$PARTS/base.sh" "$state"
    "$PARTS/images.sh" "$state"
    "$PARTS/engine.sh" run "$state" node "$PARTS/compose.mjs" "$@"
}

main "$@"
