#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     workbench.sh FOLDER          makes FOLDER, unless it is there: code-server and playwright-core,
#                                  of package-lock.json
#
# code-server is the workbench of VS Code for a browser. Its own install script downloads from hosts
# that a test machine need not reach; what it does that matters is done here, from the registry alone.
# kerberos and deviceid stay unbuilt: neither the workbench nor its extension host uses them here.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
[ ! -e "$folder" ] || exit 0

export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
export npm_config_prefer_offline=true npm_config_yes=true
mkdir -p "$(dirname "$folder")"
new=$(mktemp -d "$folder-new-XXXXXX")
trap 'rm -rf "$new"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$new"
cd "$new"
npm ci --ignore-scripts
npm rebuild argon2 --foreground-scripts # what is prebuilt is elsewhere: it compiles
cd node_modules/code-server/lib/vscode
npm install --omit=dev --ignore-scripts
mkdir -p node_modules/@vscode/ripgrep/bin
ln -sf "$(command -v rg)" node_modules/@vscode/ripgrep/bin/rg
npm rebuild --foreground-scripts native-watchdog @vscode/spdlog node-pty @parcel/watcher
ln -sfn node_modules node_modules.asar
ln -sf code-linux.sh bin/remote-cli/code-server
ln -sf browser-linux.sh bin/helpers/browser.sh
cd extensions
npm install --omit=dev --ignore-scripts
cd "$here"
# Whoever else made it meanwhile made the same.
mv -T "$new" "$folder" 2>/dev/null || [ -e "$folder" ]
