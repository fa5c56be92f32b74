#!/usr/bin/env python3
"""Asks a web server for every file of a static site.

  static_site.py BASE FOLDER"""

import gzip
import http.client
import os
import re
import sys
import urllib.parse

base, folder = sys.argv[1], sys.argv[2]
host = urllib.parse.urlsplit(base).netloc
TYPES = {".atom": "application/atom+xml", ".rss": "application/rss+xml", ".json": "application/feed+json", ".html": "text/html",
         ".css": "text/css", ".svg": "image/svg+xml"}
faults = []


def ask(path, **headers):
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def expect(what, is_so):
    if not is_so:
        faults.append(what)


def check(path):
    with open(os.path.join(folder, path), "rb") as file:
        wanted = file.read()
    kind = TYPES[os.path.splitext(path)[1]]
    status, headers, body = ask("/" + path)
    expect(f"{path}: {status}, or other bytes", status == 200 and body == wanted)
    expect(f"{path}: {headers.get('content-type')}", headers.get("content-type", "").split(";")[0] == kind)
    if kind.endswith("+xml") and kind.startswith("application"):
        expect(f"{path}: no charset", headers.get("content-type", "").lower().endswith("charset=utf-8"))
    expect(f"{path}: {headers.get('cache-control')}", headers.get("cache-control") == "public, max-age=300")
    status, packed, body = ask("/" + path, Accept_Encoding="gzip")
    expect(f"{path}: not compressed", packed.get("content-encoding") == "gzip" and gzip.decompress(body) == wanted)
    with open(os.path.join(folder, path + ".gz"), "rb") as file:
        expect(f"{path}: not the sibling", body == file.read())
    expect(f"{path}: no Vary", "accept-encoding" in packed.get("vary", "").lower())
    expect(f"{path}: no validator", "etag" in headers and "last-modified" in headers)
    for name, value in (("If_None_Match", headers.get("etag", "")), ("If_Modified_Since", headers.get("last-modified", ""))):
        status, _, body = ask("/" + path, **{name: value})
        expect(f"{path}: {status} for {name}", status == 304 and body == b"")
    expect(f"{path}: always 304", ask("/" + path, If_None_Match='"other"')[0] == 200)
    if path.endswith(".html"):
        for link in re.findall(r'(?:href|src)="([^"]*)"', wanted.decode()):
            target = urllib.parse.urljoin(base + path, link.replace("&amp;", "&"))
            if target.startswith(base):
                expect(f"{path}: {link} leads nowhere", ask(urllib.parse.urlsplit(target).path)[0] == 200)


files = [os.path.relpath(os.path.join(below, name), folder) for below, _, names in os.walk(folder) for name in names]
files = sorted(path for path in files if os.path.splitext(path)[1] in TYPES)
for path in files:
    check(path)
ends = {os.path.splitext(path)[1] for path in files}
expect(f"only {ends} were tried", ends == set(TYPES))
expect("no documents of feeds and tags were tried", {"planet/feed/builds.atom", "planet/tag/ci.json"} <= set(files))
status, headers, _ = ask("/")
expect(f"/: {status}", status in (301, 302) and urllib.parse.urlsplit(headers["location"]).path == "/planet/")
expect("/planet/ is not the first page", ask("/planet/")[2] == open(os.path.join(folder, "planet/index.html"), "rb").read())
for path in ("/none", "/planet/story/999999.html", "/planet/feed/none.atom", "/planet/../../newswire.toml"):
    expect(f"{path}: {ask(path)[0]}", ask(path)[0] in (400, 404))
for fault in faults[:20]:
    print(fault)
sys.exit(bool(faults))
