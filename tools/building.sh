# building.sh -- a build of the project for this machine's GIMP, out of sight
#
# Sourced by tools/demo and tools/install after tools/packages.sh; the caller
# sets $top, $build (the folder to build in) and $series (by gimp_series).
# Nothing runs when sourced.

# quietly NAME COMMAND...: ends the script where the command fails
quietly ()
{
  local log=$build-$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null && rm -f "$log" && return
  tail -15 "$log" >&2
  echo "${0##*/}: failed; the whole output is in $log" >&2
  exit 1
}

# configure PREFIX PLUGIN-FOLDER
configure ()
{
  local options=(--prefix "$1" --libdir lib -Dhost="$series"
    -Dplugindir="$2" -Dmodels=true -Dtests=false)
  [ -e "$build/build.ninja" ] &&
    meson setup --reconfigure "$build" "$top" "${options[@]}" && return
  rm -rf "$build"   # none, or one that a stopped run or another meson left
  meson setup --buildtype release "$build" "$top" "${options[@]}"
}

# "2.10" or "3.0", as GIMP's program has it in its name
gimp_version ()
{
  if [ "$series" = 2.10 ]; then
    echo 2.10
  else
    pkg-config --modversion gimp-3.0 | cut -d. -f1-2
  fi
}
