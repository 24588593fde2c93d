#!/bin/sh
# Installs Debian packages as root without starting any service that they bring.
# A temporary policy-rc.d answers 101 ("action forbidden"); what was there before is put back on
# every way out. Source: Debian policy-rc.d(8), invoke-rc.d.
set -e
policy=/usr/sbin/policy-rc.d
mark='aifi: temporary, no service starts'
saved=
if [ -e "$policy" ] && ! grep -q "$mark" "$policy"; then
  saved=$(mktemp)
  cp -p "$policy" "$saved"
fi
restore() {
  if [ -n "$saved" ]; then mv "$saved" "$policy"; else rm -f "$policy"; fi
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy"
chmod 755 "$policy"
export DEBIAN_FRONTEND=noninteractive
# A second apt on the machine is waited for, not fought.
options='-qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0'
apt-get $options update
apt-get $options -y --no-install-recommends install "$@"
