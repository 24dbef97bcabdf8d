#!/bin/sh
# unpack.sh DIR exim|postfix
# Unpacks the Debian packages of a mail server, and the libraries of theirs that are not installed, into DIR/usr, for the
# mail lab to lay over /usr in a namespace. Exim and Postfix cannot both be installed, and nobody's mail server should
# change for a test. Does nothing when it is there. Needs root (for setuid and setgid programs) and apt-get.
set -eu
dir=$1
case $2 in
  exim) packages="exim4-daemon-light exim4-base unbound" ;;
  postfix) packages="postfix rsyslog unbound" ;;
esac
[ -e "$dir" ] && exit 0
mkdir -p "$(dirname "$dir")"
# Two runs may come at once: each makes its own, and the first to be ready stays.
own=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$own"' EXIT
chmod 755 "$own"
mkdir "$own/debs"
cd "$own/debs"
wanted=$packages
# shellcheck disable=SC2086 # lists of packages
for library in $(apt-cache depends $packages | sed -n 's/^ *Depends: \(lib[a-z0-9.+-]*\)$/\1/p' | sort -u); do
  dpkg-query -W -f='${Status}' "$library" 2>/dev/null | grep -q 'ok installed' || wanted="$wanted $library"
done
# shellcheck disable=SC2086
apt-get download -qq -o APT::Sandbox::User=root $wanted
for deb in ./*.deb; do
  dpkg-deb -x "$deb" ..
  dpkg-deb -W --showformat='${Package}\t${Version}\n' "$deb" >>../packages.txt
done
if [ -d ../lib ]; then cp -a ../lib/. ../usr/lib/; fi
# The group postdrop, as lab/mail/postfix.ts makes it.
for program in postdrop postqueue; do
  if [ -e "../usr/sbin/$program" ]; then chgrp 65052 "../usr/sbin/$program" && chmod 2755 "../usr/sbin/$program"; fi
done
rm -rf ../debs
cd /
mv -T "$own" "$dir" 2>/dev/null || [ -e "$dir" ]
