#!/usr/bin/env python3
"""Follows every link of a server below a URL: follow.py BASE PORT. Names are looked up at 127.0.0.1:PORT."""

import html.parser
import http.client
import re
import sys
from urllib.parse import urljoin, urlsplit

base, port = sys.argv[1], int(sys.argv[2])
PUBLIC = re.compile(r"http://planet\.example\.org/(?:planet/)?")


def get(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", target, headers={"Host": parts.netloc, "Accept": "text/html,*/*"})
    response = connection.getresponse()
    return response, response.read().decode("utf-8", "replace")


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src", "action") and value:
                self.found.append(value)


seen, queue, bad = set(), [base], []
while queue and len(seen) < 200:
    url = queue.pop(0).split("#")[0]
    if url in seen or not url.startswith(base):
        continue
    seen.add(url)
    response, text = get(url)
    if response.status in (301, 302, 307, 308):
        queue.append(urljoin(url, response.getheader("location")))
        continue
    if response.status != 200:
        bad.append(f"{url}: {response.status}")
        continue
    kind = response.getheader("content-type") or ""
    if kind.startswith("text/html"):
        links = Links()
        links.feed(text)
        for link in links.found:
            target = urljoin(url, link)
            # The public URL is this proxy.
            target = PUBLIC.sub(base, target)
            if urlsplit(target).netloc == urlsplit(base).netloc and not target.startswith(base):
                bad.append(f"{url}: the link {link} leaves {base}")
            queue.append(target)

for name in ("planet.atom", "planet.rss", "planet.json", "planet/", "style.css", "subscriptions.opml", "healthz"):
    response, text = get(base + name)
    if response.status != 200:
        bad.append(f"{base}{name}: {response.status}")
    if name == "planet.atom":
        own = re.search(r'rel="self"[^>]*href="([^"]*)"|href="([^"]*)"[^>]*rel="self"', text)
        own = next((group for group in own.groups() if group), "") if own else ""
        if PUBLIC.sub(base, own) != base + name:
            bad.append(f"{base}{name}: its own link is {own}")
# Operator pages are not for clients of a proxy.
for name in ("status", "metrics", "health.atom"):
    response, _ = get(base + name)
    if response.status != 404:
        bad.append(f"{base}{name}: {response.status}, not 404")
if urlsplit(base).path != "/":
    response, _ = get(base.rstrip("/"))
    if response.status not in (301, 302, 307, 308):
        bad.append(f"{base.rstrip('/')}: {response.status}")
if len(seen) < 8:
    bad.append(f"only {len(seen)} pages were found")
if bad:
    print("\n".join(bad))
    sys.exit(1)
