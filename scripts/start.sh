#!/bin/sh
# npm start -- PATHS…: examines them; with none, the bundled examples.
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
  echo "culprit: no evidence named, so this examines the bundled examples, examples/web-story and examples/mail-story (yours: npm start -- PATH…)" >&2
  set -- examples/web-story examples/mail-story
fi
exec node dist/cli/main.js "$@"
