#!/bin/sh
# Installs the real parts that some tests start, where this is Debian or Ubuntu and we may (root or
# password-less sudo). Anywhere else it says what is missing and lets those tests be skipped by name.
set -u
PACKAGES="espeak-ng flite sox libsox-fmt-all ffmpeg libportaudio2 pulseaudio pulseaudio-utils libasound2-plugins \
    baresip-core chromium dbus at-spi2-core gir1.2-atspi-2.0 python3-gi libglib2.0-bin \
    xvfb openbox picom xdotool x11-utils x11-xserver-utils imagemagick libxcb-icccm4 libxcb-keysyms1 \
    libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-image0 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1 libdbus-1-3 libfontconfig1 libglib2.0-0"
missing=""
for package in $PACKAGES; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "parts: this is not Debian or Ubuntu; tests that need these are skipped:$missing"
    exit 0
fi
if [ "$(id -u)" = 0 ]; then as=""; elif sudo -n true 2>/dev/null; then as="sudo"; else
    echo "parts: not root; tests that need these are skipped:$missing (sudo apt-get install$missing)"
    exit 0
fi
echo "parts: installing$missing"
$as apt-get -qq update || true
# shellcheck disable=SC2086  # the list is meant to be split
DEBIAN_FRONTEND=noninteractive $as apt-get -o DPkg::Lock::Timeout=240 -qq install -y --no-install-recommends $missing \
    >/dev/null || echo "parts: some could not be installed; the tests that need them are skipped by name"
exit 0
