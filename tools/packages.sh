# packages.sh -- what tools/packages lists, and how to install what is missing.
#
# Sourced by tools/check, tools/demo, tools/install and tests/gimp/make-chroot;
# the caller sets $top, the folder of the project.  Nothing runs when sourced.

# the packages of the sections named, one a line
packages_of ()
{
  local section
  for section in "$@"; do
    awk -v want="[$section]" '
      /^\[/          { inside = ($0 == want); found += inside; next }
      inside && NF && !/^#/ { print $1 }
      END            { exit !found }' "$top/tools/packages" || {
        echo "tools/packages has no section [$section]" >&2
        return 1
      }
  done
}

# those among them that this machine lacks
packages_missing ()
{
  local package
  packages_of "$@" | sort -u | while read -r package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" \
        = installed ] || echo "$package"
  done
}

as_root ()
{
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# installs what is missing with apt-get; says nothing when nothing is
packages_install ()
{
  local missing log
  missing=$(packages_missing "$@") || return 1
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || {
    echo "no apt-get here; install these by hand:" $missing >&2
    return 1
  }
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || {
    echo "neither root nor sudo here; as root, once:" >&2
    echo "  apt-get install --no-install-recommends" $missing >&2
    return 1
  }
  echo "Installing with apt-get:" $missing
  log=$(mktemp)
  # shellcheck disable=SC2086 # one word a package
  if as_root apt-get update >"$log" 2>&1 </dev/null &&
     as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
       --no-install-recommends $missing >>"$log" 2>&1 </dev/null; then
    rm -f "$log"
  else
    grep -E '^(E|Err|W):' "$log" | tail -5 >&2 || tail -20 "$log" >&2
    echo "apt-get could not install them; its whole output: $log" >&2
    return 1
  fi
}

# the series of GIMP that this machine builds for: 2.10 or 3
gimp_series ()
{
  if pkg-config --exists gimp-3.0 2>/dev/null; then
    echo 3
  elif pkg-config --exists gimp-2.0 2>/dev/null; then
    echo 2.10
  elif grep -q '^VERSION_ID="12"' /etc/os-release; then
    echo 2.10
  else
    echo 3
  fi
}
