# Read by the programs in this folder, not run by itself. They set `program` (their own path, links resolved) and `entry` (the
# module to run, without extension). Looks for a Node.js that can run it and becomes that process, so that arguments, signals and
# exit codes are the program's own.

root=$(CDPATH= cd -- "$(dirname -- "$program")/.." && pwd -P) || exit 3

# What there is to run. The sources of a checkout win over its dist folder, which may be older than they are.
source=$root/$entry.ts
compiled=$root/dist/$entry.js
case $root in
# Node.js strips no types below a node_modules folder.
*/node_modules/*) source= ;;
esac
[ -f "$source" ] || source=
[ -f "$compiled" ] || compiled=
if [ -z "$source$compiled" ]; then
  echo "$(basename "$program"): $root has no dist folder, and an installed package runs only from there." >&2
  echo "Install a published version, or run this program from a checkout of the repository." >&2
  exit 3
fi

# Memory that is not needed goes back to the system early (test/bench/backlog.ts measures it): 24 MB for short-lived objects instead of
# up to 96 (with 12, messages under way outlive them and a pass-through takes 30 % more CPU; with 48, storing a message takes 5 to 25 % less, and
# bodies of 1 MB come to a sixth fewer a second), old ones are collected when there are 30 % more of them, for the first time at 64 MB, which a
# start does not reach (a tenth of its time), and glibc keeps no large piece and few pools to itself.
flags='--max-semi-space-size=8 --heap-growing-percent=30 --initial-old-space-size=64'
# Has to hold before a thread starts (src/worker-thread.ts); here, so that it does for all processes from their beginning: what one with
# other flags has left in the compile cache is of no use to the next.
flags="$flags --no-wasm-code-gc"
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-131072}" MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-131072}"
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"

# run NODE ARGUMENTS...: becomes NODE unless it is too old or does not start at all.
run() {
  node=$1
  shift
  version=$("$node" --version 2>/dev/null) || return 0
  version=${version#v}
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  [ "$major" -ge 22 ] 2>/dev/null || return 0
  # The first with module.findPackageJSON.
  [ "$major" -gt 22 ] || [ "$minor" -ge 14 ] || return 0
  if [ -n "$source" ]; then
    # What the types were stripped from is kept, so that the next start need not do it again (half the time, 25 MB less).
    if [ -d "$root/node_modules" ]; then
      export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$root/node_modules/.cache/mini-synapse}"
    fi
    [ "$major" -lt 24 ] || exec "$node" $flags "$source" "$@"
    # Node.js 22 and 23 either need the flag or do it with a warning.
    exec "$node" $flags --experimental-strip-types --disable-warning=ExperimentalWarning "$source" "$@"
  fi
  [ -n "$compiled" ] || return 0
  # So is what was made of the compiled files, but only where nobody else than those who may change them can write.
  if [ -w "$root/dist" ]; then export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$root/dist/.cache}"; fi
  exec "$node" $flags "$compiled" "$@"
}

# The Node.js that came with `npm ci`: beside this package, or in a project that this package is installed in.
folder=$root
while :; do
  for candidate in "$folder/node_modules/.bin/node" "$folder/node_modules/node/bin/node"; do
    if [ -x "$candidate" ]; then run "$candidate" "$@"; fi
  done
  [ "$folder" = / ] && break
  folder=$(dirname "$folder")
done

if command -v node >/dev/null 2>&1; then run node "$@"; fi

echo "$(basename "$program"): no Node.js that can run this program was found." >&2
if [ -n "$source" ]; then
  echo "Run \"npm ci\" in $root (it brings Node.js 24 along), or install Node.js 22.18 or newer." >&2
else
  echo "Install Node.js 22.14 or newer, or run \"npm install node@24\" in your project." >&2
fi
exit 3
