#!/bin/sh
# Writes checksums into the krew manifest on stdout. Usage: fill_checksums.sh DIRECTORY
# DIRECTORY has one NAME.tar.gz.sha256 for each archive of the release. Fails if one is missing.
set -eu

directory=$1
root=$(cd "$(dirname "$0")/.." && pwd)
manifest=$(cat "$root/packaging/krew/locust.yaml")
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
for file in "$directory"/*.tar.gz.sha256; do
  [ -e "$file" ] || continue
  sum=$(cut -d ' ' -f 1 "$file")
  # The name is locustctl-VERSION-TARGET.tar.gz.sha256.
  target=$(basename "$file" .tar.gz.sha256)
  target=${target#"locustctl-$version-"}
  manifest=$(printf '%s\n' "$manifest" | sed "s/SHA256_OF_$target\"/$sum\"/")
done
if missing=$(printf '%s\n' "$manifest" | grep -o '"SHA256_OF_[a-z0-9_-]*"'); then
  printf 'error: no checksum for %s\n' $missing >&2
  exit 1
fi
printf '%s\n' "$manifest"
