#!/usr/bin/env python3
"""run.py NEWSWIRE

Clients that other feed servers have lost once, on the demo of newswire over HTTP:

- rss2email over several updates. Its library accepts deltas, and rss2email fails on the status 226 for good.
- Java's URL.openStream(). Its default Accept header prefers text/html.

A client that is not installed is skipped, and named. Exit: 0 all is read, 1 a client fails.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

FORMATS = ("atom", "rss", "json")
# The sample feeds of the demo get a new item every 8 seconds.
UPDATES, GROWTH, PATIENCE = 3, 8, 60


def demo(newswire, log):
    """Starts the demo and returns it with its base URL."""
    process = subprocess.Popen([newswire, "demo"], stdout=log, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = re.search(r"look *(http\S*)$", open(log.name).read(), re.M)
        if found:
            base = found[1]
            with urllib.request.urlopen(base + "demo.json") as answer:
                if b'"id"' in answer.read():
                    return process, base
        time.sleep(0.2)
    process.terminate()
    sys.exit("the demo publishes nothing")


def ids(url):
    """The ids of the entries of an Atom feed."""
    with urllib.request.urlopen(url) as answer:
        return set(re.findall(r"<entry[^>]*>\s*<id>([^<]*)</id>", answer.read().decode()))


def rss2email(base, folder):
    """Runs rss2email until it has delivered the entries of several updates, each exactly once."""
    mail = os.path.join(folder, "Maildir")
    os.makedirs(mail)
    for part in ("new", "cur", "tmp"):
        os.mkdir(os.path.join(mail, part))
    config = os.path.join(folder, "rss2email.cfg")
    with open(config, "w") as file:
        file.write(
            "[DEFAULT]\nto = a@example.org\nfrom = b@example.org\nemail-protocol = maildir\n"
            f"maildir-path = {mail}\nmaildir-mailbox =\n"
        )
    command = ["r2e", "-c", config, "-d", os.path.join(folder, "rss2email.json")]
    env = {**os.environ, "HOME": folder, "no_proxy": "*"}

    def run(*arguments):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, env=env, timeout=PATIENCE)
        said = done.stderr.strip()
        if done.returncode or re.search(r"error|warning|HTTP status", said, re.I):
            sys.exit(f"r2e {' '.join(arguments)}: {done.returncode}: {said}")

    def delivered():
        count = 0
        for _, _, files in os.walk(mail):
            count += len(files)
        return count

    url = base + "demo.atom"
    run("add", "demo", url)
    seen, updates, end = set(), 0, time.monotonic() + PATIENCE + UPDATES * 4 * GROWTH
    while updates <= UPDATES:
        if time.monotonic() > end:
            sys.exit(f"rss2email: only {updates} updates came")
        before = ids(url)
        if before <= seen:
            time.sleep(1)
            continue
        run("run")
        # The feed may have changed during the run.
        seen, after = seen | before, ids(url)
        count = delivered()
        if not len(seen) <= count <= len(seen | after):
            sys.exit(f"rss2email delivered {count} entries, the feed had {len(seen)}")
        seen |= after if count == len(seen | after) else set()
        updates += 1
    print(f"rss2email: {delivered()} entries in {updates} runs")


def java(base):
    """Reads every format, at the URL of the feed and of its first archive page, if there is one."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Fetch.java")
    urls = [f"{base}demo.{name}" for name in FORMATS]
    done = subprocess.run(["java", source, *urls], capture_output=True, text=True, timeout=2 * PATIENCE)
    print(done.stdout, end="")
    if done.returncode:
        sys.exit(f"java: {done.stderr}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "demo.log"), "w") as log:
        process, base = demo(sys.argv[1], log)
        try:
            if shutil.which("javac"):
                java(base)
            else:
                print("skipped: Java (no JDK)")
            if shutil.which("r2e"):
                rss2email(base, folder)
            else:
                print("skipped: rss2email (not installed)")
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
