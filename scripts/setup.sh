#!/usr/bin/env bash
# Installs what tbuild needs on a Debian 12 machine and builds it. Safe to repeat: what is there is left alone.
#   scripts/setup.sh          to run tbuild
#   scripts/setup.sh test     also what the tests, the demo and the bench compare with
set -euo pipefail
cd "$(dirname "$0")/.."

run_packages=(runc)
test_packages=(
  busybox-static docker-registry apache2-utils openssl skopeo umoci buildah mmdebstrap docker.io
  qemu-user-static xz-utils bzip2 zstd attr libcap2-bin procps git git-lfs openssh-client openssh-server python3 curl time e2fsprogs iproute2
)

say() { printf '==> %s\n' "$*"; }

install_debian_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    say "please install: ${missing[*]}"
    exit 1
  fi
  say "installing Debian packages: ${missing[*]}"
  apt-get update -qq
  # Runlevel 1: what is installed for tests must not begin to serve this machine.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_npm_packages() {
  if [ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then return; fi
  say "installing npm packages"
  # Not "npm ci": it fails where a registry lacks the optional packages of other platforms.
  npm install --no-save --no-audit --no-fund --loglevel=error
}

check_node() {
  command -v node >/dev/null || { say "please install Node.js 20 or newer"; exit 1; }
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || { say "Node.js 20 or newer is needed, this is $(node --version)"; exit 1; }
}

check_node
case "${1:-run}" in
  run) install_debian_packages "${run_packages[@]}" ;;
  test)
    install_debian_packages "${run_packages[@]}" "${test_packages[@]}"
    [ -x .cache/buildx/buildx ] || say "unpacking Docker's buildx"
    scripts/fetchBuildx.sh || say "no buildx: tests with it are skipped"
    ;;
  *) say "usage: scripts/setup.sh [run|test]"; exit 2 ;;
esac
install_npm_packages
say "compiling"
npm run --silent build
