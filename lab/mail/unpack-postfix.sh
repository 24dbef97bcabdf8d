#!/bin/sh
# Unpacks Postfix, and rsyslog for its log, into DIR for the mail lab. Debian's Postfix and Exim cannot both be
# installed, and nobody's services should change for a test: so they are unpacked only, and laid over /usr in a
# namespace. Does nothing when it is there. Needs root (postdrop is setgid) and apt-get.
set -eu
dir=$1
[ -e "$dir/.complete" ] && exit 0
rm -rf "$dir"
mkdir -p "$dir/debs" "$dir/tree"
cd "$dir/debs"
libraries=$(apt-cache depends rsyslog postfix | sed -n 's/^ *Depends: \(lib[a-z0-9.+-]*\)$/\1/p' | sort -u)
wanted="postfix rsyslog"
for library in $libraries; do
  dpkg-query -W -f='${Status}' "$library" 2>/dev/null | grep -q 'ok installed' || wanted="$wanted $library"
done
# shellcheck disable=SC2086
apt-get download -qq -o APT::Sandbox::User=root $wanted
for deb in ./*.deb; do
  dpkg-deb -x "$deb" ../tree
  dpkg-deb -W --showformat='${Package}\t${Version}\n' "$deb" >>../packages.txt
done
# The group postdrop, as lab/mail/postfix.ts makes it.
chgrp 65052 ../tree/usr/sbin/postdrop ../tree/usr/sbin/postqueue
chmod 2755 ../tree/usr/sbin/postdrop ../tree/usr/sbin/postqueue
touch ../.complete
