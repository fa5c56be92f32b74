#!/usr/bin/env python3
"""Runs inside a booted Debian: installs the package, reads the merged feed, upgrades, purges."""

import os
import subprocess
import time
import urllib.request
import xml.etree.ElementTree as ET

ATOM = "{http://www.w3.org/2005/Atom}"
failed = 0


def check(what, passed, detail=""):
    """Prints the result of one check, and counts it."""
    global failed
    failed += not passed
    print(f"{'ok' if passed else 'FAILED'}: {what} {detail if not passed else ''}".rstrip(), flush=True)


def run(*command):
    """Returns the exit code and the output of a command."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def ids():
    """Returns the ids of the entries of the merged feed; `None` without a valid one."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:8420/planet.atom", timeout=5) as answer:
            root = ET.fromstring(answer.read())
    except (OSError, ET.ParseError):
        return None
    return {entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")} if root.tag == f"{ATOM}feed" else None


def entries():
    """Returns the number of entries of the merged feed, or -1 without a valid one."""
    found = ids()
    return -1 if found is None else len(found)


def property_of(name):
    """Returns a property of the unit."""
    return run("systemctl", "show", "-P", name, "newswire.service")[1].strip()


def main():
    """Runs the checks in order."""
    code, text = run("dpkg", "-i", "/old.deb")
    check("the package is installed", code == 0, text)
    check("the service runs after the installation", property_of("ActiveState") == "active", run("journalctl", "-u", "newswire")[1])
    check("the service is enabled", property_of("UnitFileState") == "enabled")
    deadline = time.monotonic() + 40
    count = entries()
    while count < 4 and time.monotonic() < deadline:
        time.sleep(0.5)
        count = entries()
    check("the merged feed has the items of the sample feeds", count >= 4, f"{count} entries")
    code, text = run("newswire", "health", "--config", "/etc/newswire/newswire.toml")
    check("the daemon is healthy", code == 0, text)
    check("the database is in the state directory", os.path.exists("/var/lib/private/newswire/newswire.db"))
    code, text = run("journalctl", "--list-catalog", "a87c705907e84e35b55978460e80739d")
    check("the catalog explains the events", "Newswire has started" in text, text)

    before = property_of("MainPID")
    code, text = run("dpkg", "-i", "/new.deb")
    check("the package is upgraded", code == 0, text)
    check("the upgrade restarts the service", property_of("MainPID") not in (before, "0"))
    check("the merged feed is served after the upgrade", entries() >= count, f"{entries()}, not {count}")

    published = ids() or set()
    code, text = run("dpkg", "-P", "newswire")
    check("the package is purged", code == 0, text)
    check("the service has stopped", property_of("ActiveState") != "active" and entries() == -1)
    check("the purge keeps the database", os.path.exists("/var/lib/private/newswire/newswire.db"))
    code, text = run("dpkg", "-i", "/new.deb")
    check("the package is installed again", code == 0, text)
    deadline = time.monotonic() + 40
    while not published <= (ids() or set()) and time.monotonic() < deadline:
        time.sleep(0.5)
    check("all published ids are there again", published and published <= (ids() or set()), f"{len(published)} ids")

    answer = "newswire newswire/purge_database boolean true\n"
    subprocess.run(["debconf-set-selections"], input=answer, text=True, check=True)
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    code, text = run("dpkg", "-P", "newswire")
    check("the package is purged with its database", code == 0, text)
    left = run("find", "/etc", "/usr", "/var/lib", "/run", "-xdev", "-name", "*newswire*", "-not", "-path", "/var/lib/dpkg/*")[1]
    check("the purge leaves no file", left == "", left)
    print(f"all done: {failed} failed")


main()
