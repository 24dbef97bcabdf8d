#!/bin/sh
# Sets up what a command needs: packages from npm, and the compiled program. Says nothing when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.culprit-installed
if [ ! -e "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  echo "culprit: installing packages (once) …" >&2
  npm ci --loglevel=error >&2
  touch "$stamp"
fi
if [ ! -e dist/.built ] || [ -n "$(find src package.json tsconfig.json tsconfig.build.json -newer dist/.built -print -quit)" ]; then
  echo "culprit: building …" >&2
  rm -rf dist
  ./node_modules/.bin/tsc -p tsconfig.build.json >&2
  touch dist/.built
fi
