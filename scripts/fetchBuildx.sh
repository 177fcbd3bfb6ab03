#!/usr/bin/env bash
# Docker's buildx, which Debian 12 does not have: unpacks that of Debian sid into .cache/buildx, with the C library that it needs, and
# makes .cache/buildx/buildx of it. Only tests of the daemon need it; they are skipped, and say so, where it cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$PWD/.cache/buildx
[ -x "$dir/buildx" ] && exit 0
repo=$(apt-get indextargets --format '$(REPO_URI)' 'Component: main' 'Label: Debian' | sort -u | head -n1)
[ -n "$repo" ] || { echo "no Debian mirror is configured"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$dir"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $repo sid main" > "$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists"
  -o "Dir::Cache=$work/cache" -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$work" && "${apt[@]}" download docker-buildx libc6)
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$dir/root"; done
loader=$(find "$dir/root" -name 'ld-linux-*.so.*' | head -n1)
cat > "$dir/buildx.new" <<SCRIPT
#!/bin/sh
exec "$loader" --library-path "$(dirname "$(find "$dir/root" -name libc.so.6 | head -n1)")" "$dir/root/usr/libexec/docker/cli-plugins/docker-buildx" "\$@"
SCRIPT
chmod +x "$dir/buildx.new"
"$dir/buildx.new" version > /dev/null
mv "$dir/buildx.new" "$dir/buildx"
