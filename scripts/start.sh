#!/bin/sh
# npm start -- PATHS…: examines them; with none, the bundled example.
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
  echo "culprit: no evidence named, so this examines the bundled example, examples/web-story (yours: npm start -- PATH…)" >&2
  set -- examples/web-story
fi
exec node dist/cli/main.js "$@"
