#!/usr/bin/env python3
"""merge.py NEWSWIRE CORPUS CLIENTS [KEEP]    Every document of a corpus in one output, read by every reader.

Serves each file below CORPUS from loopback under an address of its own, lets newswire poll them and write one
merged feed in every format, and has CLIENTS (clients.py) read it. Then the publishers go on: most documents change
a title and gain an item, and newswire polls and publishes again; CLIENTS reads the two publications one after
another, where only what is new may show up as new. KEEP is a folder for all of it; a temporary one otherwise.
Exit: 0 all readers agree, 1 somebody found a problem.
"""
import html
import http.server
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.parse

FORMATS = ("atom", "rss", "json")
# Every look that an output can have.
OUTPUTS = {
    "all": "title = 'Every document of the corpus'",
    "dressed": "title_prefix = '[{source}] '\ncontent = 'summary'\ndate = 'first_seen'\nalso_at = 'content'\n"
    "icon = 'http://wire.example.org/icon.png'\nlanguage = 'en'",
    "bare": "content = 'none'\nauthor = 'Nobody'\nalso_at = 'links'",
    "listen": "also_at = 'content'\ninclude = { enclosures = true }\nexclude = { languages = ['de'] }",
}
# Some documents mean what the header of their answer says.
TYPES = {".json": "application/feed+json", ".html": "text/html"}
NEWS = (
    ("<item", "<item><guid isPermaLink='false'>newswire-%s</guid><title>News</title><link>http://news.example.org/%s</link>"
     "<description>Fresh &amp;amp; new</description></item>"),
    ("<entry", "<entry><id>urn:x-newswire:%s</id><title>News</title><link href='http://news.example.org/%s'/>"
     "<updated>2024-01-01T00:00:00Z</updated><summary>Fresh</summary></entry>"),
)  # fmt: skip


class Origin(http.server.ThreadingHTTPServer):
    """The publishers. `later` is true once they have gone on."""

    request_queue_size = 128

    def __init__(self, corpus):
        super().__init__(("127.0.0.1", 0), Handler)
        self.corpus, self.later = corpus, False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def body(self, path):
        data = (self.corpus / path).read_bytes()
        return changed(path, data) if self.later else data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.unquote(self.path.lstrip("/"))
        try:
            body, status = self.server.body(path), 200
        except OSError:
            body, status = b"", 404
        self.send_response(status)
        self.send_header("Content-Type", TYPES.get(pathlib.Path(path).suffix, "application/xml"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *a):
        pass


def changed(path, data):
    """The document as its publisher has it later: one title corrected, one item more."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data
    number = re.sub(r"\W", "-", path)
    titles = list(re.finditer(r"<title>([^<]{3,})</title>", text))
    if len(titles) > 1 and is_identified(text):
        at = titles[-1].end(1)
        text = text[:at] + ", corrected" + text[at:]
    for tag, news in NEWS:
        at = re.search(tag + r"[\s>]", text)
        if at:
            text = text[: at.start()] + news % (number, number) + text[at.start() :]
            break
    return text.encode()


def is_identified(text):
    """Whether items have guids, or else links, of their own. Where they share them, the title is what tells them apart."""
    keys = re.findall(r"<(?:guid|id)\b[^>]*>([^<]*)<", text) or re.findall(r"<link>([^<]*)<", text)
    return len({html.unescape(key.strip()) for key in keys}) == len(keys)


def config(folder, documents, base):
    lines = [
        "version = 1",
        "[schedule]\nper_host = 16\nhost_spacing = '1ms'\npublisher_hints = 'ignore'",
        "[fetch]\ncontact = 'http://127.0.0.1/'\nallow_networks = ['127.0.0.1']",
        "[web]\nlisten = 'off'\npublic_url = 'http://wire.example.org/'",
    ]
    lines += [f"[[output]]\nid = '{name}'\ndirectory = 'www'\nitems = 5000\n{look}" for name, look in OUTPUTS.items()]
    lines += [f"[[feed]]\nurl = '{base}/{urllib.parse.quote(path)}'" for path in documents]
    (folder / "newswire.toml").write_text("\n".join(lines) + "\n")


def publish(newswire, folder, to):
    run = subprocess.run([newswire, "poll", "--config", folder / "newswire.toml"], capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    (folder / f"{to}.log").write_text(run.stdout + run.stderr)
    if run.returncode:
        sys.exit(f"newswire poll: exit {run.returncode}\n{run.stderr[-2000:]}")
    (folder / to).mkdir(exist_ok=True)
    for path in (folder / "www").iterdir():
        # Not the archive, nor what is compressed.
        if path.is_file() and path.suffix.lstrip(".") in FORMATS:
            shutil.copy(path, folder / to)


def time_passes(folder):
    """All feeds are due again, as if a day had gone by."""
    with sqlite3.connect(folder / "newswire.db") as database:
        database.execute("UPDATE feed SET next_poll_at = 0")


def read(clients, *arguments):
    return subprocess.run([sys.executable, clients, "-v", "--timeout", "300", *map(str, arguments)], stdout=subprocess.DEVNULL).returncode


def main():
    newswire, corpus, clients = (pathlib.Path(x).resolve() for x in sys.argv[1:4])
    folder = pathlib.Path(sys.argv[4] if len(sys.argv) > 4 else tempfile.mkdtemp(prefix="newswire-merge-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    documents = sorted(str(p.relative_to(corpus)) for p in corpus.rglob("*") if p.is_file() and p.suffix != ".foaf")
    origin = Origin(corpus)
    config(folder, documents, f"http://127.0.0.1:{origin.server_port}")
    publish(newswire, folder, "first")
    origin.later = True
    time_passes(folder)
    publish(newswire, folder, "second")
    bad = 0
    for name in (f"{output}.{extension}" for output in OUTPUTS for extension in FORMATS):
        print(f"-- {len(documents)} documents in {name}", flush=True)
        bad += read(clients, "--then", folder / "second" / name, folder / "first" / name)
    for extension in FORMATS:
        bad += read(clients, folder / "second" / f"all.{extension}")
    if not bad and len(sys.argv) < 5:
        shutil.rmtree(folder)
    else:
        print(f"kept: {folder}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
