#!/bin/sh
# Sets up what a command needs: packages from npm, the compiled program, and (--for-tests) system packages, or
# (--tools) the compiled lab and bench. Says nothing when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."
newer() { [ ! -e "$1" ] || [ -n "$(find "$2" package.json tsconfig.json "$3" -newer "$1" -print -quit)" ]; }

stamp=node_modules/.culprit-installed
if [ ! -e "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  echo "culprit: installing packages (once) …" >&2
  # Not npm ci: it wants the packages of every other platform in the lock file, which not every registry has. The
  # versions are the lock file's all the same.
  npm install --no-save --no-audit --no-fund --loglevel=error >&2
  touch "$stamp"
fi
if newer dist/.built src tsconfig.build.json; then
  echo "culprit: building …" >&2
  rm -rf dist
  ./node_modules/.bin/tsc -p tsconfig.build.json >&2
  touch dist/.built
fi
if [ "${1:-}" = --tools ] && { newer dist-tools/.built src tsconfig.tools.json || newer dist-tools/.built lab bench; }; then
  echo "culprit: building lab and bench …" >&2
  rm -rf dist-tools
  ./node_modules/.bin/tsc -p tsconfig.tools.json >&2
  touch dist-tools/.built
fi
if [ "${1:-}" = --for-tests ]; then
  # The programs that tests compare with, the compressors, and what the mail lab needs. Tests that miss one say so.
  missing=
  needs="zstd:zstd xz:xz-utils bzip2:bzip2 apache2:apache2 nginx:nginx-light ip:iproute2 nsenter:util-linux openssl:openssl
    pflogsumm:pflogsumm"
  # Exim comes with eximstats and exigrep, but nobody's mail server is replaced: the lab unpacks its own.
  [ -e /usr/sbin/sendmail ] || needs="$needs eximstats:exim4-daemon-light"
  for need in $needs; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${need%%:*}" >/dev/null || missing="$missing ${need##*:}"
  done
  lab=node_modules/.cache/culprit-lab
  servers=
  for server in exim postfix; do [ -e "$lab/$server" ] || servers="$servers $server (for the mail lab)"; done
  [ -z "$missing$servers" ] && exit 0
  as_root=
  if [ "$(id -u)" != 0 ]; then
    as_root="sudo -n"
    $as_root true 2>/dev/null || { echo "culprit: without root these are not installed, and their tests are skipped:$missing$servers" >&2; exit 0; }
  fi
  if ! command -v apt-get >/dev/null; then
    echo "culprit: no apt-get here: not installed, and their tests are skipped:$missing$servers" >&2
    exit 0
  fi
  $as_root apt-get update -qq >/dev/null 2>&1 || true
  if [ -n "$missing" ]; then
    echo "culprit: installing$missing for the tests …" >&2
    # Services stay off: the tests start their own.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null; $as_root chmod +x "$policy"; ours=1; }
    # shellcheck disable=SC2086 # a list of packages
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
      echo "culprit: apt-get could not install$missing; the tests that need them are skipped" >&2
    [ -z "${ours:-}" ] || $as_root rm -f "$policy"
  fi
  for server in exim postfix; do
    $as_root sh lab/mail/unpack.sh "$PWD/$lab/$server" "$server" >/dev/null 2>&1 ||
      echo "culprit: $server could not be unpacked for the mail lab; its tests will fail" >&2
  done
fi
