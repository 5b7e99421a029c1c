#!/usr/bin/env bash
# Builds dist/gui-lab-VERSION-macos-ARCH.dmg with "GUI Lab.app" in it. Needs Python 3.11 and uv. Signing and notarising
# are done where SIGN_IDENTITY is set.
set -euo pipefail
cd "$(dirname "$0")/../.."
python3 packaging/build.py folder
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
app="dist/GUI Lab.app"
if [ -n "${SIGN_IDENTITY:-}" ]; then
  codesign --force --deep --options runtime --timestamp --sign "$SIGN_IDENTITY" "$app"
fi
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
cp -R "$app" "$staging/"
ln -s /Applications "$staging/Applications"
hdiutil create -volname "GUI Lab" -srcfolder "$staging" -ov -format ULFO "dist/gui-lab-$version-macos-$(uname -m).dmg"
