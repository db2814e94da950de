#!/bin/sh
# Builds the archive of one platform. Usage: archive.sh TARGET BINARY NOTICES DIRECTORY
# TARGET is Rust's name of the platform. NOTICES is the file with the licences of the dependencies.
# The archive and its SHA-256 checksum are written to DIRECTORY.
set -eu

target=$1 binary=$2 notices=$3 directory=$4
root=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
name=locustctl-${version:?Cargo.toml has no version}-$target

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
mkdir "$staging/$name"
cp "$binary" "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$staging/$name/"
cp "$notices" "$staging/$name/THIRD_PARTY_LICENSES.html"
cp -R "$root/completions" "$root/man" "$staging/$name/"
cp "$root/packaging/kubectl_complete-locust" "$staging/$name/"

mkdir -p "$directory"
tar -C "$staging" -czf "$directory/$name.tar.gz" "$name"
cd "$directory"
if command -v sha256sum >/dev/null; then
  sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
else
  shasum -a 256 "$name.tar.gz" >"$name.tar.gz.sha256"
fi
echo "$directory/$name.tar.gz"
