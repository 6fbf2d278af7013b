#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     package.sh                   makes ../build/pynvme-console-VERSION.vsix
#     package.sh WORD [ARG...]     runs a script of package.json: check, lint, test, format
#
# Either brings what it needs from the npm registry first. That is kept in ~/.cache, by the contents of
# package-lock.json, so that another checkout has it at once. Node and npm must be there.

set -euo pipefail
cd "$(dirname "$0")"

die() {
	printf 'make vscode: %s\n' "$*" >&2
	exit 1
}

needed=20
hint="install it from your distribution, or from https://nodejs.org"
command -v node >/dev/null || die "Node.js $needed or later is needed, and there is none: $hint"
command -v npm >/dev/null || die "npm is needed, and there is none: $hint"
version=$(node --version) # v20.20.2
major=${version#v}
[ "${major%%.*}" -ge $needed ] || die "Node.js $needed or later is needed, this is $version: $hint"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/pynvme-vscode
modules=$cache/modules-$(cat package-lock.json .npmrc | sha256sum | cut -c1-16)
if [ ! -d "$modules" ]; then
	printf '== installing the tools of package-lock.json into %s\n' "$modules"
	mkdir -p "$cache"
	new=$(mktemp -d "$cache/new-XXXXXX")
	trap 'rm -rf "$new"' EXIT
	cp package.json package-lock.json .npmrc "$new"
	(cd "$new" && npm ci --loglevel=error) || die "npm could not install what package-lock.json lists (see above)"
	# Whoever else made it meanwhile made the same.
	mv -T "$new" "$modules" 2>/dev/null || [ -d "$modules" ]
fi
[ -L node_modules ] || rm -rf node_modules
ln -sfn "$modules/node_modules" node_modules

if [ $# -gt 0 ]; then
	exec npm run --silent "$@"
fi
mkdir -p ../build
npm run --silent package
