#!/bin/sh
# Adds the current digest to each image in a Dockerfile's FROM lines. Usage: pin_images.sh DOCKERFILE
# Needs docker with buildx, and access to the registries. Writes the result to stdout.
set -eu

while IFS= read -r line; do
  case $line in
    'FROM '*@sha256:*) ;;
    'FROM '*)
      image=$(printf '%s\n' "$line" | cut -d ' ' -f 2)
      digest=$(docker buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}')
      case $digest in
        sha256:*) ;;
        *) echo "error: $image: docker printed no digest" >&2; exit 1 ;;
      esac
      line="FROM $image@$digest${line#"FROM $image"}"
      ;;
  esac
  printf '%s\n' "$line"
done <"$1"
