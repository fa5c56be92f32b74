#!/usr/bin/env python3
"""Hostile feeds through newswire into a real browser: nothing runs, nothing is asked for.

  run.py NEWSWIRE [--one-in N]    N > 1: every Nth payload, for less time; 10 takes four minutes, all take 25

Serves the payloads in every field of RSS, Atom and JSON Feed, lets newswire merge them, and shows a
headless Chromium every page, every story, the documents, and their content as a reader without any
guard of its own would show it. Also holds the pages against axe-core, AA contrast, the width of a phone, and paper.
Pictures are tried as links, as pictures of their sites, and as copies of this server."""

import datetime
import email.utils
import functools
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
import axe  # noqa: E402
import feeds  # noqa: E402
import hostile  # noqa: E402
from chromium import Chromium, program  # noqa: E402

OUTPUTS = ("rss", "atom", "json")
# Outputs with a digest: of the hostile items, with links and with pictures, and of harmless ones.
DIGESTS = ("digest", "digest-direct", "digest-clean")
FORBIDDEN = "script,style,link,meta,base,iframe,frame,frameset,object,embed,applet,form,input,button,select,textarea,svg,math,template,portal,dialog"
# What a place where HTML of others stands may not hold; answers the faults.
JUDGE = """(root => {
  const faults = [];
  for (const element of document.querySelectorAll(root + ' *')) {
    if (element.matches(%s)) faults.push(element.localName);
    for (const attribute of element.attributes) {
      if (/^(on|style$|id$|name$|srcdoc$|ping$|formaction$|background$)/.test(attribute.name)) faults.push(element.localName + ' ' + attribute.name);
      if (/^(href|src|cite|poster|data|action|xlink:href)$/.test(attribute.name) && !/^(https?|mailto|magnet|gemini|tel|xmpp|geo|sms|irc|ircs|news):/.test(new URL(attribute.value, 'https://own.test/').protocol)) faults.push(element.localName + ' ' + attribute.value);
    }
  }
  return faults;
})""" % json.dumps(FORBIDDEN)
# The operator's pages are ours as a whole: what may stand there is known, and nothing that runs or loads.
OURS = """(() => {
  const faults = [];
  for (const element of document.querySelectorAll('*')) {
    if (element.matches('script,style,base,iframe,frame,object,embed,img,image,use,foreignObject,video,audio,portal,dialog')) faults.push(element.localName);
    for (const { name, value } of element.attributes) {
      if (/^on|^style$|^srcdoc$|^ping$|^formaction$|^xlink:href$|^src$/.test(name)) faults.push(element.localName + ' ' + name);
      if (/^(href|action)$/.test(name) && !/^https?:/.test(new URL(value, location).protocol)) faults.push(element.localName + ' ' + value);
    }
  }
  const wanted = 'h1,h2,main,footer,table' + (location.pathname === '/status' ? ',svg' : '');
  for (const name of wanted.split(',')) if (!document.querySelector(name)) faults.push('no ' + name);
  for (const svg of document.querySelectorAll('svg')) if (!svg.getAttribute('aria-label') && !svg.getAttribute('aria-labelledby')) faults.push('an svg without a name');
  for (const id of new Set([...document.querySelectorAll('[id]')].map(e => e.id))) if (document.querySelectorAll('#' + CSS.escape(id)).length > 1) faults.push('twice the id ' + id);
  for (const input of document.querySelectorAll('input:not([type=hidden]),select')) if (!input.labels.length) faults.push('no label for ' + input.name);
  return faults;
})()"""
# The pages of an output with harmless stories, those of errors, and the operator's.
CLEAN = ("clean/", "clean/?q=hafen", "clean/?feed=clean", "clean/?tag=clean", "clean/?month=2025-11", "clean/?q=nothing-of-this-kind", "pictures/", "copies/",
         "copies/?feed=clean", "copies/?tag=evil", "copies/?month=2025-11", "copies/?q=hafen", "empty/",
         "whole/", "digest-clean/", "digest-clean/?q=hafen", "digest-clean/?q=nothing-of-this-kind", "digest-clean/story/1")
ERRORS = ("clean/story/999999", "none/at/all", "private/?token=wrong")
OPERATOR = ("status", "status?q=nothing-of-this-kind", "status?state=failing", "status/evil3", "status/moved3", "status/rss", "health.atom")
# So many feeds have a hostile title; as many lead to hostile places.
EVIL = 24
# Every text below 4.5:1 (large ones 3:1), and what is wider than the window.
LOOKS = """(() => {
  const rgb = text => { const [r, g, b, a] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a ?? 1]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255]; };
  const faults = [];
  for (const element of document.querySelectorAll('body *')) {
    const texts = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!texts && !element.matches('input')) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const [a, b] = [light(rgb(style.color)), light(ground(element))].sort((x, y) => y - x);
    const wanted = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if ((a + 0.05) / (b + 0.05) < wanted) faults.push('contrast of ' + element.localName + ' ' + element.className);
  }
  if (document.scrollingElement.scrollWidth > innerWidth) faults.push('wider than the window: ' + document.scrollingElement.scrollWidth);
  return faults;
})()"""


# A row of a form whose parts are not beside each other.
WRAPPED = """[...document.querySelectorAll('form')].filter(form => new Set([...form.children].filter(e => e.offsetHeight > 1).map(e => Math.round(e.getBoundingClientRect().top + e.offsetHeight / 2))).size > 1).map(() => 'the row of the search wraps')"""
# What a reader cannot use on paper.
ON_PAPER = """[...document.querySelectorAll('form, aside, audio, video')].filter(e => e.offsetParent !== null).map(e => 'on paper: ' + e.localName)"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Origin(http.server.BaseHTTPRequestHandler):
    """The hostile feeds, and a reader that shows whatever it is given."""
    documents = {}
    # The headers of requests for the photograph.
    asked = []

    def do_GET(self):
        if self.path.startswith("/moved"):
            self.send_response(301)
            self.send_header("Location", self.documents[self.path][1])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        kind, body = self.documents.get(self.path, ("text/plain", b"no"))
        if self.path.startswith("/photo.png"):
            self.asked.append(dict(self.headers))
        self.send_response(200 if self.path in self.documents else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Files(http.server.SimpleHTTPRequestHandler):
    """A web server of files, which adds no header."""

    def log_message(self, *_):
        pass


def get(url, accept="*/*"):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=30) as answer:
        return answer.read()


def answers(url):
    try:
        return get(url)
    except urllib.error.HTTPError:
        return None


class Test:
    def __init__(self, newswire, one_in):
        self.newswire, self.faults, self.seen = newswire, [], 0
        self.payloads = hostile.payloads()[::one_in]
        self.own, self.wire = free_port(), free_port()
        for path, kind, make in (("/rss", "application/rss+xml", feeds.rss), ("/atom", "application/atom+xml", feeds.atom),
                                 ("/json", "application/feed+json", feeds.json_feed)):
            Origin.documents[path] = (kind, make(self.payloads).encode("utf-8", "replace"))
        Origin.documents["/clean"] = ("application/rss+xml", feeds.clean(f"http://127.0.0.1:{self.own}/").encode())
        # In the period that ended at midnight.
        yesterday = email.utils.format_datetime(datetime.datetime.now(datetime.timezone.utc).replace(hour=12, minute=0) - datetime.timedelta(days=1), usegmt=True)
        Origin.documents["/yesterday"] = ("application/rss+xml", feeds.rss(self.payloads, yesterday).encode("utf-8", "replace"))
        Origin.documents["/calm"] = ("application/rss+xml", feeds.clean(f"http://127.0.0.1:{self.own}/", yesterday).encode())
        for path in ("/photo.png", "/photo.png?b"):
            Origin.documents[path] = ("image/png", feeds.photo(1600, 900))
        Origin.documents["/evil.png"] = ("image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='document.documentElement.dataset.pwned=1'/>")
        for number in range(EVIL):
            payload = self.payloads[number * len(self.payloads) // EVIL]
            Origin.documents[f"/evil{number}"] = ("application/rss+xml", feeds.titled(payload, number).encode("utf-8", "replace"))
            Origin.documents[f"/moved{number}"] = ("", "//127.0.0.1/" + re.sub("[^ -~]", "", payload))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.own), Origin)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.folder = tempfile.TemporaryDirectory(prefix="newswire-hostile-")

    def start(self):
        config = os.path.join(self.folder.name, "newswire.toml")
        sources = "".join(f'[[feed]]\nurl = "http://127.0.0.1:{self.own}/{name}"\nid = "{name}"\ntags = ["{name}"]\n' for name in OUTPUTS)
        evil = [f"{kind}{number}" for number in range(EVIL) for kind in ("evil", "moved")]
        quote = lambda text: json.dumps(re.sub("[^ -~]", "", text))
        sources += "".join(f'[[feed]]\nurl = "http://127.0.0.1:{self.own}/{name}"\nid = "{name}"\ntags = [{quote(self.payloads[-1 - n])}]\n' for n, name in enumerate(evil))
        with open(config, "w") as file:
            self.www = os.path.join(self.folder.name, "www")
            static = f'directory = {json.dumps(self.www)}\nsite = true\n'
            outputs = "".join(f'[[output]]\nid = "{name}"\nitems = 5000\n{static}include = {{ tags = ["{name}"] }}\n' for name in OUTPUTS)
            # The same stories with pictures; one without stories; one in another language; one with a token.
            outputs += '[[output]]\nid = "direct"\nitems = 5000\nimages = "direct"\ninclude = { tags = ["rss"] }\n'
            outputs += '[[output]]\nid = "pictures"\nimages = "direct"\ninclude = { tags = ["clean"] }\n'
            outputs += '[[output]]\nid = "proxied"\nitems = 5000\nimages = "proxy"\ninclude = { tags = ["rss"] }\n'
            outputs += '[[output]]\nid = "copies"\ntitle = "Harbour news"\nimages = "proxy"\ninclude = { tags = ["clean"] }\n'
            outputs += '[[output]]\nid = "clean"\ntitle = "Nachrichten"\nlanguage = "de"\ndescription = "Was geschah"\ninclude = { tags = ["clean"] }\n' + static
            outputs += f'[[output]]\nid = "digest"\ndigest = "daily"\n{static}include = {{ tags = ["yesterday"] }}\n'
            outputs += '[[output]]\nid = "digest-direct"\ndigest = "daily"\nimages = "direct"\ninclude = { tags = ["yesterday"] }\n'
            outputs += f'[[output]]\nid = "digest-clean"\ndigest = "daily"\nlanguage = "de"\n{static}include = {{ tags = ["calm"] }}\n'
            # Whole texts in the lists.
            outputs += '[[output]]\nid = "whole"\npage_text = "full"\ninclude = { tags = ["clean"] }\n'
            outputs += '[[output]]\nid = "whole-rss"\npage_text = "full"\ninclude = { tags = ["rss"] }\n'
            outputs += '[[output]]\nid = "empty"\ninclude = { tags = ["evil"], title = "$^" }\n'
            outputs += '[[output]]\nid = "private"\ntoken = { env = "NEWSWIRE_TEST_TOKEN" }\n'
            sources += "".join(f'[[feed]]\nurl = "http://127.0.0.1:{self.own}/{name}"\nid = "{name}"\ntags = ["{name}"]\n' for name in ("yesterday", "calm"))
            sources += f'[[feed]]\nurl = "http://127.0.0.1:{self.own}/clean"\nid = "clean"\ntags = ["clean", "evil"]\n'
            file.write(f'version = 1\n[schedule]\nhost_spacing = "10ms"\n[fetch]\ncontact = "x@example.org"\nallow_networks = ["127.0.0.1"]\n'
                       f'[dedupe]\ninitial_items = 10000\nburst_guard = "off"\nacross_feeds = "off"\n[web]\nlisten = "127.0.0.1:{self.wire}"\n{outputs}{sources}')
        # A daemon closes the period of a digest ten minutes after its start.
        environment = {**os.environ, "NEWSWIRE_TEST_TOKEN": "sesame-0123456789"}
        polled = subprocess.run([self.newswire, "poll", "--config", config], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.process = subprocess.Popen([self.newswire, "run", "--config", config], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{self.wire}/"
        for _ in range(600):
            try:
                self.items = {name: json.loads(get(f"{self.base}{name}.json"))["items"] for name in OUTPUTS}
                shown = len(json.loads(get(f"{self.base}clean.json"))["items"])
                self.digests = {name: json.loads(get(f"{self.base}{name}.json"))["items"] for name in DIGESTS}
                if shown == 3 and all(len(items) == len(self.payloads) for items in self.items.values()):
                    break
            except OSError:
                pass
            time.sleep(0.2)
        else:
            raise SystemExit(f"newswire does not show all stories: {({name: len(items) for name, items in self.items.items()})}")
        if any(len(items) != 1 or len(items[0]["content_html"]) < 100 for items in self.digests.values()):
            raise SystemExit(f"no digest: nothing was tried\n{polled.stderr[-2000:]}")

    def judge(self, browser, where, requests, root, allowed):
        """Nothing ran, nothing was asked for but what is allowed, and the DOM holds nothing that could."""
        self.seen += 1
        if browser.evaluate("document.documentElement.dataset.pwned"):
            self.faults.append(f"{where}: a script ran")
        self.faults += [f"{where}: asks for {url} ({kind})" for url, kind, blocked in requests if not blocked and not allowed(url, kind)]
        if root:
            self.faults += [f"{where}: {fault}" for fault in browser.evaluate(JUDGE + f"({json.dumps(root)})")]

    def pages(self, browser):
        """The page for people: every page of every output, and one story in ten alone."""
        own = lambda url, _: url.startswith((self.base, "data:image/svg+xml;"))  # the buttons of players
        for name in OUTPUTS:
            path, stories = f"{name}/", set()
            while path:
                self.judge(browser, path, browser.open(self.base + path), "main section", own)
                stories |= set(re.findall(rf'href="[./]*({name}/story/\d+)"', get(self.base + path).decode()))
                path = (browser.evaluate("document.querySelector('nav a[rel=next]')?.href") or "").removeprefix(self.base)
            # Those that a page leads to are the long ones; the others have an address too.
            numbers = [int(story.rsplit("/")[-1]) for story in stories]
            for number in range(min(numbers, default=1), max(numbers, default=1), 10):
                path = f"{name}/story/{number}"
                self.judge(browser, path, browser.open(self.base + path), ".text", own)
        path = "whole-rss/"
        while path:
            self.judge(browser, path, browser.open(self.base + path, 120), "main section", own)
            path = (browser.evaluate("document.querySelector('nav a[rel=next]')?.href") or "").removeprefix(self.base)
        for path, root in (("digest/", "main section"), ("digest/?q=script", "main section"), ("digest/story/1", ".text")):
            self.judge(browser, path, browser.open(self.base + path, 120), root, own)

    def backstage(self, browser):
        """The operator's pages, with feeds that mean harm by their titles, tags, addresses and errors."""
        own = lambda url, _: url.startswith(self.base)
        for _ in range(300):
            states = json.loads(get(self.base + "status.json"))["feeds"]
            if all(feed["last_poll_at"] for feed in states):
                break
            time.sleep(0.2)
        else:
            raise SystemExit("not every feed was polled")
        payload = urllib.parse.quote(self.payloads[0])
        paths = ["status", f"status?q={payload}", f"status?tag={payload}&state=failing&sort=name", "status?state=failing"]
        paths += [f"status/{feed['id']}" for feed in states]
        for path in paths:
            self.judge(browser, path, browser.open(self.base + path), None, own)
            # A page that a filter leaves empty has neither plots nor feeds.
            faults = [fault for fault in browser.evaluate(OURS) if "?" not in path or not fault.startswith("no ")]
            self.faults += [f"{path}: {fault}" for fault in faults]
        if not any(feed["title"] != feed["id"] and "<" in feed["title"] for feed in states):
            raise SystemExit("no hostile title came through: nothing was tried")

    def documents(self, browser):
        """The documents themselves, as a browser shows XML and JSON."""
        own = lambda url, _: url.startswith((f"http://127.0.0.1:{self.own}/", "data:image/svg+xml,"))  # its own arrows
        for name in (*OUTPUTS, *DIGESTS):
            for format, kind in (("atom", "text/xml"), ("atom", "application/xhtml+xml"), ("rss", "text/xml"),
                                 ("rss", "application/xhtml+xml"), ("json", "application/json"), ("json", "text/plain")):
                Origin.documents["/shown"] = (kind, get(f"{self.base}{name}.{format}"))
                requests = browser.open(f"http://127.0.0.1:{self.own}/shown", 120)
                self.judge(browser, f"{name}.{format} as {kind}", requests, None, own)

    def reader(self, browser):
        """The content as a reader without a policy shows it: parsed with its page, and put in later."""
        own = f"http://127.0.0.1:{self.own}/"
        # Pictures and sound of the story are its content.
        allowed = lambda url, kind: url.startswith(own) or (kind in ("Image", "Media") and "trip.invalid" not in url)
        contents = [item.get("content_html") or "" for items in (*self.items.values(), *self.digests.values()) for item in items]
        step = 25
        for start in range(0, len(contents), step):
            part = contents[start:start + step]
            body = "".join(f"<div>{html}</div>\n" for html in part)
            Origin.documents["/parsed"] = ("text/html; charset=utf-8", f"<!doctype html><main>{body}</main>".encode("utf-8", "replace"))
            self.judge(browser, f"parsed {start}", browser.open(own + "parsed"), "main", allowed)
            Origin.documents["/blank"] = ("text/html; charset=utf-8", b"<!doctype html><main></main>")
            browser.open(own + "blank")
            browser.evaluate(f"for (const html of {json.dumps(part)}) document.querySelector('main').append(Object.assign(document.createElement('div'), {{innerHTML: html}}))")
            browser.evaluate("new Promise(done => setTimeout(done, 50))")
            self.judge(browser, f"put in {start}", browser.requests(), "main", allowed)
        return len(contents)

    def control(self, browser):
        """The same judge sees what runs and what is asked for, so that its silence means something."""
        own = f"http://127.0.0.1:{self.own}/"
        for base in hostile.BASES[:3]:
            before = len(self.faults)
            Origin.documents["/control"] = ("text/html", f"<!doctype html><main>{base}</main>".encode())
            self.judge(browser, "control", browser.open(own + "control"), "main", lambda url, _: url.startswith(own))
            found = self.faults[before:]
            del self.faults[before:]
            if len(found) < 2:
                raise SystemExit(f"the judge is blind: {base} gives {found}")

    def direct(self, browser):
        """With images = "direct" only the pictures of the stories are asked for, and nothing runs."""
        asked, paths = set(), ["pictures/", "digest-direct/", "digest-direct/story/1"]
        path = "direct/"
        while path:
            paths.append(path)
            browser.open(self.base + path)
            path = (browser.evaluate("document.querySelector('nav a[rel=next]')?.href") or "").removeprefix(self.base)
        for path in list(paths):
            stories = re.findall(r'href="[./]*((?:direct|pictures)/story/\d+)"', get(self.base + path).decode())
            paths += stories[::10]
        for path in dict.fromkeys(paths):
            requests = browser.open(self.base + path)
            pictures = set(browser.evaluate("[...document.images].flatMap(i => [i.src, ...i.srcset.split(/,?\\s+/), ...[...i.parentElement.querySelectorAll('source')].flatMap(s => s.srcset.split(/,?\\s+/))])"))
            # A request has no fragment.
            pictures = {urllib.parse.urldefrag(url).url for url in pictures}
            allowed = lambda url, kind: url.startswith((self.base, "data:image/svg+xml;")) or kind == "Image" and url in pictures
            self.judge(browser, path, requests, "main section" if path.endswith("/") else ".text", allowed)
            asked |= {urllib.parse.urlsplit(url).hostname for url, kind, _ in requests if kind == "Image" and not url.startswith(self.base)}
            referrers = [e["params"]["request"]["headers"].get("Referer") for e in browser.events if e.get("method") == "Network.requestWillBeSent" and e["params"].get("type") == "Image"]
            if any(referrers):
                self.faults.append(f"{path}: pictures are asked for with the referrer {referrers}")
        if "pictures.invalid" not in asked:
            raise SystemExit(f"no picture was asked for: nothing was tried ({asked})")
        self.judge(browser, "clean/", browser.open(self.base + "clean/"), "main section", lambda url, _: url.startswith(self.base))

    def proxied(self, browser):
        """With images = "proxy" the browser asks this server alone, and nothing runs, whatever an image is."""
        # Its players have pictures of their own.
        own = lambda url, _: url.startswith((self.base, "data:image/svg+xml;"))
        path, paths = "proxied/", ["copies/"]
        while path:
            paths.append(path)
            self.judge(browser, path, browser.open(self.base + path), "main section", own)
            path = (browser.evaluate("document.querySelector('nav a[rel=next]')?.href") or "").removeprefix(self.base)
        for path in list(paths):
            stories = re.findall(r'href="[./]*((?:proxied|copies)/story/\d+)"', get(self.base + path).decode())
            paths += stories if path == "copies/" else stories[::10]
        images, shown = set(), 0
        for path in dict.fromkeys(paths):
            requests = browser.open(self.base + path)
            if path.startswith("copies/"):
                browser.evaluate("Promise.all([...document.images].map(i => (i.loading = 'eager', i.decode().catch(() => 0))))")
                requests = browser.requests()
            self.judge(browser, path, requests, "main section" if path.endswith("/") else ".text", own)
            images |= set(browser.evaluate("[...document.images].map(i => i.src)"))
            shown += browser.evaluate("[...document.images].filter(i => i.naturalWidth > 400).length")
        if shown < 3 or not images:
            raise SystemExit(f"{shown} copies of the photograph are shown: nothing was tried")
        if len(Origin.asked) != 2:
            self.faults.append(f"the photograph was asked for {len(Origin.asked)} times, at two addresses")
        for headers in Origin.asked:
            self.faults += [f"an image is asked for with {name}" for name in headers if name.lower() in ("cookie", "referer", "authorization")]
        # An image that is opened as a page.
        for url in sorted(url for url in images if url.startswith(self.base + "copies/")):
            self.judge(browser, url, browser.open(url), None, own)
        # The picture does not move what is below it once its size is known. The browser has no copy of this page.
        browser.open(self.base + "copies/?tag=evil")
        if browser.evaluate("[...document.images].some(i => i.naturalWidth > 400 && !(i.getAttribute('width') && i.getAttribute('height')))"):
            self.faults.append("copies/?tag=evil: a picture whose size is known has no width or height")

    def variables(self, browser):
        """Every variable that the documentation names changes a colour of a page."""
        with open(os.path.join(os.path.dirname(__file__), "../../docs/feeds.md"), encoding="utf-8") as file:
            names = re.findall(r"^\| `(--[a-z]+)` \|", file.read(), re.M)
        if len(names) < 7:
            raise SystemExit(f"the documentation names {names}: nothing was tried")
        browser.open(self.base + "copies/")
        for name in names:
            changed = browser.evaluate("""(name => {
              document.documentElement.style.setProperty(name, 'rgb(1, 2, 3)');
              const colours = ['color', 'backgroundColor', 'borderTopColor', 'borderBottomColor'];
              const found = [...document.querySelectorAll('body, body *')].some(e => colours.some(c => getComputedStyle(e)[c] === 'rgb(1, 2, 3)'));
              document.documentElement.style.removeProperty(name);
              return found;
            })""" + f"({json.dumps(name)})")
            if not changed:
                self.faults.append(f"the variable {name} changes nothing")

    def static(self, browser):
        """The files of static sites on a web server that sends no policy: nothing runs, only files of the site are asked for, and
        every link between them leads to a file."""
        folders = (*OUTPUTS, "clean", "digest", "digest-clean")
        whole = lambda name: open(os.path.join(self.www, name, "site-manifest.txt")).read().endswith("complete\n")
        # Each publication adds to a site, and is complete.
        files = lambda name: sum(file.endswith(".html") for file in os.listdir(os.path.join(self.www, name, "story")))
        for _ in range(600):
            try:
                if all(whole(name) for name in folders) and sum(files(name) for name in folders) >= len(self.payloads) * 3:
                    break
            except OSError:
                pass
            time.sleep(0.2)
        handler = functools.partial(Files, directory=self.www)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.files = f"http://127.0.0.1:{server.server_port}/"
        # The players of the browser have pictures of their own.
        own = lambda url, _: url.startswith((self.files, "data:image/svg+xml;"))
        stories = 0
        for name in folders:
            for below, _, found in os.walk(os.path.join(self.www, name)):
                for file in sorted(file for file in found if file.endswith(".html")):
                    path = os.path.relpath(os.path.join(below, file), self.www)
                    with open(os.path.join(below, file)) as page:
                        html = page.read()
                    links = re.findall(r'(?:href|src)="([^":]*)"', html)
                    # The site itself has no link with a query; an item of the set has its own, relative to nothing.
                    for link in (link for link in links if "&" not in link):
                        if link.startswith("#"):
                            there = f'id="{link[1:]}"' in html
                        else:
                            there = os.path.isfile(os.path.normpath(os.path.join(self.www, os.path.dirname(path), link)))
                        if not there:
                            self.faults.append(f"file {path}: the link {link} leads nowhere")
                    stories += "/story/" in path
                    if "/story/" in path and stories % 10 and name in OUTPUTS:
                        continue
                    self.judge(browser, f"file {path}", browser.open(self.files + path), ".text" if "/story/" in path else "main section", own)
        if stories < len(self.payloads) * 3:
            raise SystemExit(f"only {stories} stories are files")
        checker = axe.Axe(browser)
        clean = [os.path.relpath(os.path.join(below, file), self.www) for name in ("clean", "digest-clean")
                 for below, _, found in os.walk(os.path.join(self.www, name)) for file in found if file.endswith(".html")]
        for width in (320, 1280):
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
            for path in clean:
                browser.open(self.files + path)
                self.faults += [f"file {path} {width}: {fault}" for fault in browser.evaluate(LOOKS)] + checker.faults(f"file {path} {width}")
        browser.call("Emulation.clearDeviceMetricsOverride")
        server.shutdown()

    def looks(self, browser):
        """axe-core and AA contrast, light and dark, no sideways scrolling on a phone, and paper."""
        checker = axe.Axe(browser)
        browser.open(self.base)
        checker.control()
        story = next(path for path in (f"atom/story/{n}" for n in range(1, 1 + 3 * len(self.payloads))) if answers(self.base + path))
        stories = lambda output: sorted(set(re.findall(rf"{output}/story/\d+", get(f"{self.base}{output}/").decode())))
        clean_story, *_ = stories("clean")
        own_pages = (*CLEAN, clean_story, *stories("copies"))
        for scheme in ("light", "dark"):
            for width in (320, 390, 1280):
                browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
                for path in ("", "atom/", "atom/?q=nothing-of-this-kind", story, *own_pages, *ERRORS, *OPERATOR):
                    browser.open(self.base + path)
                    name = f"/{path} {scheme} {width}"
                    self.faults += [f"{name}: {fault}" for fault in browser.evaluate(LOOKS)]
                    if width == 1280:
                        self.faults += [f"{name}: {fault}" for fault in browser.evaluate(WRAPPED)]
                    # What is in the text is the publisher's.
                    if path not in ("atom/", story):
                        self.faults += checker.faults(name)
        browser.call("Emulation.clearDeviceMetricsOverride")
        browser.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        for path in own_pages:
            browser.open(self.base + path)
            faults = browser.evaluate(ON_PAPER) + browser.evaluate(LOOKS)
            self.faults += [f"/{path} printed: {fault}" for fault in faults]
        browser.call("Emulation.setEmulatedMedia", media="", features=[])
        self.checked = checker.pages


def main():
    if program() is None:
        print("skipped: there is no Chromium on this machine")
        return
    one_in = int(sys.argv[sys.argv.index("--one-in") + 1]) if "--one-in" in sys.argv else 1
    test = Test(sys.argv[1], one_in)
    test.start()
    browser = Chromium()
    try:
        test.control(browser)
        test.backstage(browser)
        test.static(browser)
        test.proxied(browser)
        test.variables(browser)
        test.looks(browser)
        test.direct(browser)
        shown = test.reader(browser)
        test.documents(browser)
        test.pages(browser)
    finally:
        browser.close()
        test.process.terminate()
        test.process.wait()
    for fault in test.faults[:40]:
        print(fault)
    print(f"{len(test.payloads)} payloads in every field of three formats, {shown} stories, {test.seen} views, axe-core on {test.checked} pages: {len(test.faults)} faults")
    if not test.checked:
        print("skipped: axe-core is not installed")
    sys.exit(bool(test.faults))


main()
