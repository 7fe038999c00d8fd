#!/usr/bin/env bash
# Installs what topoctave needs: system libraries (apt), a virtual environment, pinned packages.
#   scripts/setup.sh run      what running needs
#   scripts/setup.sh test     and what the tests need: a sound server, a display, every extra
# Does only what is missing: a second call takes less than a second and needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-run}

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# ---- system libraries -------------------------------------------------------------------------
# "a|b": the first name this release knows (Ubuntu 24.04 renamed some for 64-bit time).
libraries=(
  # Sound: PortAudio, and its way to PulseAudio and PipeWire.
  libportaudio2 libasound2-plugins libsndfile1
  # Qt's window: X11, OpenGL, keyboard and fonts.
  libegl1 libgl1 libx11-6 libx11-xcb1 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0
  libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render0 libxcb-render-util0
  libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xinerama0
  libxcb-xkb1 libxext6 libxrandr2 libxrender1 libdrm2 libdbus-1-3 libfontconfig1 libfreetype6
  'libglib2.0-0t64|libglib2.0-0' fonts-dejavu-core
  # For Qt's signal that sound devices were added or removed.
  libpulse0 libgssapi-krb5-2
)
# For the tests: private sound servers and a display, and speech synthesis.
if [[ $what == test ]]; then
  libraries+=(pulseaudio pulseaudio-utils pipewire wireplumber pipewire-pulse dbus-daemon)
  libraries+=(xvfb espeak-ng)
fi

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else return 1; fi
}

apt_updated=no
apt_update() {
  [[ $apt_updated == yes ]] && return 0
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 || return 1
  apt_updated=yes
}
apt_install() {
  # --no-remove: a desktop that runs PipeWire must not lose it to PulseAudio.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    --no-remove "$@" >&2
}

# A desktop keeps its one sound server: a second one would compete with it at the next login.
has_rival() {
  [[ -d /run/systemd/system ]] || return 1
  case $1 in
    pulseaudio) grep -qx pipewire-pulse <<<"$2" ;;
    pipewire-pulse) grep -qx pulseaudio <<<"$2" ;;
    *) return 1 ;;
  esac
}

install_libraries() {
  local entry name present missing=() wanted=()
  # One call of dpkg-query for all names; this is what every later `make run` costs.
  present=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  for entry in "${libraries[@]}"; do
    grep -qxE "${entry//./\\.}" <<<"$present" || has_rival "$entry" "$present" ||
      missing+=("$entry")
  done
  [[ ${#missing[@]} -eq 0 ]] && return 0
  say "installing ${missing[*]}"
  apt_update || true
  for entry in "${missing[@]}"; do
    for name in ${entry//|/ }; do
      if apt-cache show "$name" >/dev/null 2>&1; then
        wanted+=("$name")
        break
      fi
    done
  done
  if [[ ${#wanted[@]} -eq 0 ]] || ! apt_install "${wanted[@]}"; then
    say "could not install them; please run: sudo apt-get install ${missing[*]%%|*}"
  fi
}

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  install_libraries
elif [[ $(uname -s) == Linux ]] && ! ldconfig -p 2>/dev/null | grep -q libportaudio; then
  say "no apt here: please install PortAudio, libEGL and libxcb-cursor (for the tests" \
    "PulseAudio, its ALSA plugin, PipeWire, its Pulse server, WirePlumber, Xvfb and espeak-ng)" \
    "with your package manager"
fi

# ---- Python -----------------------------------------------------------------------------------
usable() { # Python 3.11 to 3.13
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}
find_python() {
  local name
  for name in "${PYTHON:-}" python3 python3.12 python3.13 python3.11; do
    if [[ -n $name ]] && usable "$name"; then echo "$name"; return 0; fi
  done
  return 1
}
has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

if ! usable .venv/bin/python; then
  if ! python=$(find_python); then
    if command -v apt-get >/dev/null; then
      say "installing Python 3.11 or later"
      apt_update && apt_install python3 python3-venv || true
      for version in 3.12 3.13 3.11; do # where the release's own Python is older or newer
        find_python >/dev/null && break
        apt-cache show "python$version" >/dev/null 2>&1 || continue
        apt_install "python$version" "python$version-venv" || true
      done
    fi
    python=$(find_python) || fail "needs Python 3.11, 3.12 or 3.13; set PYTHON=/path/to/one"
  fi
  if ! has_venv "$python"; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "installing python$version-venv"
    { command -v apt-get >/dev/null && apt_update && apt_install "python$version-venv"; } ||
      fail "$python has no venv module; please install it (Debian: python$version-venv)"
  fi
  say "making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv
fi

# ---- packages ---------------------------------------------------------------------------------
# A stamp is a checksum of the requirements: after an edit or an interruption they are installed again.
# The requirements of the tests include those of the program.
wanted=$(cat pyproject.toml constraints.txt | cksum)
if [[ $what == test ]]; then extras=dev,train,visqol,wyoming; else extras=dev; fi
installed() { [[ -f $1 && $(cat "$1") == "$wanted" ]]; }
stamp=.venv/.topoctave-installed
if ! installed "$stamp-test" && { [[ $what == test ]] || ! installed "$stamp-run"; }; then
  say "installing Python packages into .venv (minutes the first time)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt --editable ".[$extras]"
  echo "$wanted" >"$stamp-$what"
fi
