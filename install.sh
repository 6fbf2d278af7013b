#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Makes this machine and this checkout ready, then runs a command if one is given:
#
#     ./install.sh                 system packages, .venv with the package in it
#     ./install.sh --tests         also what the tests need
#     ./install.sh --long-tests    and what only the long ones need: a browser
#     ./install.sh make demo       the same as the first, then "make demo"
#
# Debian 12 and 13, Ubuntu 24.04, Fedora. Whatever is there already is left alone, so a second
# run takes about a second and needs no network. PYTHON=/path/to/python3 chooses the interpreter.

set -euo pipefail
cd "$(dirname "$0")"

say() { printf '== %s\n' "$*"; }
die() {
	printf 'install.sh: %s\n' "$*" >&2
	exit 1
}

tests=no
long=no
case ${1:-} in
-h | --help)
	# The head of this file, up to its first empty line.
	sed -n '4,/^$/{s/^# \{0,1\}//;p}' install.sh
	exit 0
	;;
--tests | --long-tests)
	tests=yes
	[ "$1" = --tests ] || long=yes
	shift
	;;
-*) die "unknown option $1; known are --help, --tests and --long-tests" ;;
esac

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "must be root for: $*"
	fi
}

# System packages. "needed" must be there; without the others some tests are skipped.
guest=()
fuzzing=()
layouts=()
terminal=()
debugger=()
browser=()
if command -v apt-get >/dev/null; then
	family=debian
	needed=(gcc libc6-dev libisal-dev make pkg-config python3-dev python3-venv)
	if [ $tests = yes ]; then
		needed+=(libcmocka-dev valgrind)
		guest=(busybox-static fio kmod nvme-cli pciutils qemu-system-x86)
		fuzzing=(clang)
		layouts=(libnvme-dev)
		terminal=(tmux)
		debugger=(gdb)
		browser=(chromium fonts-dejavu-core g++ ripgrep)
	fi
elif command -v dnf >/dev/null; then
	family=fedora
	needed=(gcc isa-l-devel make pkgconf-pkg-config python3-devel util-linux)
	if [ $tests = yes ]; then
		needed+=(libasan libcmocka-devel libtsan libubsan valgrind)
		guest=(busybox fio kmod nvme-cli pciutils qemu-system-x86-core)
		fuzzing=(clang compiler-rt)
		layouts=(libnvme-devel)
		terminal=(tmux)
		debugger=(gdb)
		browser=(chromium dejavu-sans-fonts gcc-c++ ripgrep)
	fi
else
	die "only Debian, Ubuntu and Fedora are known; see README.md for what is needed"
fi

missing() {
	local name
	for name in "$@"; do
		case $family in
		debian) dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed ;;
		fedora) rpm -q --quiet --whatprovides "$name" ;;
		esac || printf '%s\n' "$name"
	done
}

packages() {
	case $family in
	debian)
		local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y
			-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
		as_root "${apt[@]}" update >"$log" 2>&1 || true # install says what is wrong
		as_root "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1 </dev/null
		;;
	fedora) as_root dnf -q -y install "$@" >"$log" 2>&1 </dev/null ;;
	esac
}

mkdir -p build/logs
log=build/logs/install.log
exec 9>build/lock
flock 9

mapfile -t lacking < <(missing "${needed[@]}")
if [ ${#lacking[@]} -gt 0 ]; then
	say "installing system packages: ${lacking[*]}"
	packages "${lacking[@]}" || {
		tail -n 20 "$log" >&2
		die "could not install: ${lacking[*]}"
	}
fi

# What for, then packages. What failed once is left alone, each set for itself.
want() {
	local failed=build/wanted-failed-$1 what=$1
	shift
	mapfile -t lacking < <(missing "$@")
	[ ${#lacking[@]} -gt 0 ] && [ ! -e "$failed" ] || return 0
	say "installing system packages for $what: ${lacking[*]}"
	packages "${lacking[@]}" || {
		tail -n 5 "$log" >&2
		say "not to be had; tests that need them will be skipped (rm $failed to try again)"
		touch "$failed"
	}
}
want guest "${guest[@]}"
want fuzzing "${fuzzing[@]}"
want layouts "${layouts[@]}"
want terminal "${terminal[@]}"
want debugger "${debugger[@]}"
# A Node.js that is there may be of another origin than the distribution's; one before 20 is no use.
if [ $long = yes ] && ! command -v node >/dev/null; then
	version=20
	[ $family != debian ] ||
		version=$(apt-cache show nodejs 2>/dev/null | sed -n 's/^Version: \([0-9]*\).*/\1/p' | sort -n | tail -n 1)
	[ "${version:-0}" -lt 20 ] || browser+=(nodejs npm)
fi
[ $long = no ] || want browser "${browser[@]}"
# Debian keeps the runtime of sanitizers and fuzzers in a package named after clang's version.
if [ $family = debian ] && [ ${#fuzzing[@]} -gt 0 ]; then
	version=$(dpkg-query -W -f '${Version}' clang 2>/dev/null || true) # 1:14.0-55.7
	version=${version#*:}
	[ -z "$version" ] || want fuzzing "libclang-rt-${version%%.*}-dev"
fi

# The virtual environment, made anew when the interpreter or the checkout moved.
usable() {
	"$1" - <<-'PY' 2>/dev/null
		import ensurepip, os, sys, sysconfig, venv
		header = os.path.join(sysconfig.get_path("include"), "Python.h")
		sys.exit(sys.version_info < (3, 11) or not os.path.exists(header))
	PY
}

home=$PWD/.venv
if [ "$(cat .venv/home 2>/dev/null)" != "$home" ] || ! .venv/bin/python -c '' 2>/dev/null; then
	python=
	for candidate in ${PYTHON:-} python3 /usr/bin/python3 python3.1{4,3,2,1}; do
		if usable "$candidate"; then
			python=$candidate
			break
		fi
	done
	[ -n "$python" ] || die "no Python >= 3.11 with its headers and venv found; set PYTHON="
	say "making .venv with $("$python" --version)"
	rm -rf .venv build/package
	"$python" -m venv .venv
	printf '%s\n' "$home" >.venv/home
fi
export PATH=$home/bin:$PATH

pip() {
	.venv/bin/python -m pip --disable-pip-version-check -q "$@" >"$log" 2>&1 </dev/null || {
		tail -n 40 "$log" >&2
		die "pip $1 failed; the whole output is in $log"
	}
}

# Python packages: only when what is asked for has changed.
asked=$(cat constraints.txt pyproject.toml | sha256sum)
tools=(meson meson-python ninja)
dependencies() {
	.venv/bin/python - "$1" <<-'PY'
		import sys, tomllib
		with open("pyproject.toml", "rb") as file:
		    project = tomllib.load(file)["project"]
		extras = project["optional-dependencies"]
		wanted = project["dependencies"] + extras["top"] if sys.argv[1] == "run" else extras["dev"]
		print("\n".join(entry.replace(" ", "") for entry in wanted))
	PY
}
require() {
	[ "$(cat ".venv/asked-$1" 2>/dev/null)" != "$asked" ] || return 0
	local names
	mapfile -t names < <(dependencies "$1")
	[ "$1" != run ] || names+=("${tools[@]}")
	say "installing Python packages: ${names[*]}"
	pip install -c constraints.txt "${names[@]}"
	printf '%s\n' "$asked" >".venv/asked-$1"
}
require run
[ $tests = no ] || require dev

# The package itself: built and installed only when a source is newer than the last time.
sources=(meson.build meson.options pyproject.toml src python)
if [ ! -e .venv/built ] || [ -n "$(find "${sources[@]}" -newer .venv/built -print -quit)" ]; then
	say "building and installing the package into .venv"
	touch .venv/built.new
	pip install --no-index --no-deps --no-build-isolation --force-reinstall \
		--config-settings=build-dir=build/package .
	mv .venv/built.new .venv/built
fi

flock -u 9
exec 9>&-
if [ $# -gt 0 ]; then
	exec "$@"
fi
