#!/bin/sh
# Stands for an image's entry point under another path.
echo entered
exec python3 "$@"
