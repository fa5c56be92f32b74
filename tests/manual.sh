#!/usr/bin/env bash
# The pages of the manual are read without a warning, and every shell understands its completions.
# Usage: manual.sh NEWSWIRE
set -euo pipefail
newswire=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$newswire" man "$folder" >/dev/null
pages=0
for page in "$folder"/man?/*.[157]; do
    if command -v man >/dev/null; then
        warnings=$(MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)
        [ -z "$warnings" ] || { echo "$page: $warnings"; exit 1; }
    fi
    if command -v mandoc >/dev/null; then
        # A line break too many beside a list of values is clap_mangen's, and shows nowhere.
        warnings=$(mandoc -T lint -W warning "$page" | grep -v 'skipping paragraph macro: br' || true)
        [ -z "$warnings" ] || { echo "$warnings"; exit 1; }
    fi
    pages=$((pages + 1))
done
[ "$pages" -gt 20 ] || { echo "only $pages pages"; exit 1; }
readers=$(basename -a $(command -v man mandoc) | xargs || true)
echo "$pages pages, read by ${readers:-nobody (skipped: no man, no mandoc)}"

# With a terminal, SIGHUP ends the daemon. Without one it reloads, which tests/it/reload.rs checks.
if command -v script >/dev/null; then
    (cd "$folder" && HOME=$folder timeout 30 script -qec "'$newswire' run --listen 127.0.0.1:0" /dev/null </dev/null >terminal.log 2>&1) &
    for _ in $(seq 100); do [ -S "$folder/newswire.sock" ] && break; sleep 0.1; done
    kill -HUP "$(cat "$folder/newswire.db.lock")"
    for _ in $(seq 100); do [ -S "$folder/newswire.sock" ] || break; sleep 0.1; done
    [ ! -S "$folder/newswire.sock" ] || { echo 'SIGHUP did not end newswire run on a terminal'; exit 1; }
    wait
    echo 'SIGHUP ends newswire run on a terminal'
else
    echo 'skipped: no script(1)'
fi

for shell in bash zsh fish; do
    "$newswire" completions $shell >"$folder/$shell"
    if command -v $shell >/dev/null; then
        $shell -n "$folder/$shell" && echo "$shell understands its completions"
    else
        echo "skipped: no $shell"
    fi
done
