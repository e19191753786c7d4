#!/usr/bin/env bash
# Compiles one CMake preset into build/PRESET. usage: tools/build.sh [PRESET [TARGET…]]
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

preset=${1:-release}
build_dir=build/$preset
"$ROOT/tools/deps.sh" "${ESTEIRA_DEPS:-build}"

options=()
if have ninja; then options+=(-G Ninja); fi
if have ccache; then options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache); fi
if [[ ! -e $build_dir/build.ninja && ! -e $build_dir/Makefile ]]; then
    cmake --preset "$preset" "${options[@]}" >&2
fi
cmake --build "$build_dir" --parallel "$(nproc)" ${2:+--target} "${@:2}" >&2
