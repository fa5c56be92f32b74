#!/usr/bin/env python3
"""Runs commands in a bare root as a new user would, and reads the merged feed. Called by tests/install/run."""

import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ET

ATOM = "{http://www.w3.org/2005/Atom}"
# A build in a release profile on a slow machine.
LONGEST_BUILD = 3600
USER = 1000
work = pathlib.Path(sys.argv[1])
home = work / "root/home/newcomer"
ENVIRONMENT = {"HOME": "/home/newcomer", "PATH": "/opt/rust/bin:/usr/bin:/bin", "CARGO_NET_OFFLINE": "true", "LC_ALL": "C"}


def start(command, output):
    """Starts a command of the README in its folder."""

    def enter():
        os.chroot(work / "root")
        os.chdir("/home/newcomer/newswire")
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)

    log = open(output, "w")
    return subprocess.Popen(shlex.split(command), env=ENVIRONMENT, preexec_fn=enter, stdout=log, stderr=log)


def fail(what, output):
    """Ends the test with the last lines of a command."""
    print(f"FAILED: {what}\n{output.read_text()[-3000:]}")
    sys.exit(1)


def entries():
    """Returns the ids of the merged feed, or none without a valid one (RFC 4287 4.1.1, 4.1.2)."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:8420/planet.atom", timeout=5) as answer:
            root = ET.fromstring(answer.read())
    except (OSError, ET.ParseError):
        return []
    needed = ["id", "title", "updated"]
    every = [root, *root.findall(f"{ATOM}entry")]
    valid = root.tag == f"{ATOM}feed" and all(part.find(ATOM + name) is not None for part in every for name in needed)
    return [entry.findtext(f"{ATOM}id") for entry in every[1:]] if valid else []


def run_until_published(command, least):
    """Runs the command until the feed has entries, and stops it as Ctrl-C does. Returns the ids."""
    output = work / "output"
    begun = time.monotonic()
    process = start(command, output)
    while len(ids := entries()) < least:
        if process.poll() is not None:
            fail(f"{command} ended with {process.returncode}", output)
        if time.monotonic() - begun > LONGEST_BUILD:
            process.kill()
            fail(f"{command}: no feed with {least} entries", output)
        time.sleep(0.5)
    # A terminal sends it to both; cargo waits for the program.
    for child in pathlib.Path("/proc").glob("[0-9]*/comm"):
        if child.read_text().strip() == "newswire":
            os.kill(int(child.parent.name), signal.SIGINT)
    if process.wait(60) != 0:
        fail(f"{command} ended with {process.returncode} after Ctrl-C", output)
    text = output.read_text()
    for line in ("wrote newswire.toml with 6 sample feeds", "subscribe  http://127.0.0.1:8420/planet.atom"):
        if least == FIRST and line not in text:
            fail(f"{command} does not print {line!r}", output)
    print(f"ok: {command}: {len(ids)} entries after {time.monotonic() - begun:.0f} s", flush=True)
    return ids


# Three of the sample feeds that have items at once; the others are polled later.
FIRST = 4
commands = (work / "commands").read_text().splitlines()
first = run_until_published(commands[0], FIRST)
config = (home / "newswire/newswire.toml").read_bytes()
again = run_until_published(commands[0], len(first))
if not set(first) <= set(again) or (home / "newswire/newswire.toml").read_bytes() != config:
    print("FAILED: the second start does not use what is there")
    sys.exit(1)
print("ok: a second start keeps the config and the ids", flush=True)
for command in commands[1:]:
    begun = time.monotonic()
    tested = start(command, work / "output")
    if tested.wait() != 0:
        fail(f"{command} ended with {tested.returncode}", work / "output")
    passed = [line for line in (work / "output").read_text().splitlines() if line.startswith("test result: ok")]
    print(f"ok: {command} after {time.monotonic() - begun:.0f} s\n" + "\n".join(passed), flush=True)
