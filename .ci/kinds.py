#!/usr/bin/env python3
"""kinds.py NEWSWIRE CLIENTS    Every kind of feed beside the merged one, read by every reader.

Digests, their search, a tag and a search as a feed, a podcast, and the documents of a static site's tags: newswire
publishes them of a few items, and CLIENTS (clients.py) reads each in every format.
Exit: 0 all readers agree, 1 one found a problem.
"""
import datetime
import email.utils
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

FORMATS = ("atom", "rss", "json")
CONFIG = """version = 1
[fetch]
contact = "https://planet.example.org/"
[dedupe]
initial_items = 100
[web]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}/"
[[output]]
id = "planet"
formats = ["atom", "rss", "json"]
directory = "www"
site = true
[[output]]
id = "daily"
formats = ["atom", "rss", "json"]
digest = "daily"
[[output]]
id = "titles"
formats = ["atom", "rss", "json"]
digest = "daily"
content = "none"
language = "ja"
[[output]]
id = "cast"
formats = ["atom", "rss", "json"]
title = "Builds to hear"
description = "Every build, read aloud"
author = "The builders"
icon = "http://127.0.0.1:{port}/icon.png"
podcast = "Technology"
language = "en"
[[feed]]
file = "feed.xml"
id = "builds"
tags = ["ci"]
"""


def feed():
    noon = datetime.datetime.now(datetime.timezone.utc).replace(hour=12, minute=0, second=0) - datetime.timedelta(days=1)
    items = ""
    for number in range(12):
        date = email.utils.format_datetime(noon - datetime.timedelta(minutes=number), usegmt=True)
        sound = f'<enclosure url="https://media.example.org/{number}.mp3" type="audio/mpeg" length="1000"/>'
        items += f"""<item><title>Build {number} &amp; its “tests”</title><link>https://ci.example.org/{number}?a=1&amp;b=2</link><guid isPermaLink="false">b{number}</guid>
<description>&lt;p&gt;About &lt;b&gt;build&lt;/b&gt; {number}, äöü 日本語&lt;/p&gt;&lt;img src="https://ci.example.org/{number}.png"&gt;</description>
{sound if number % 2 else ""}<pubDate>{date}</pubDate></item>"""
    return f"""<rss version="2.0"><channel><title>Builds</title><link>https://ci.example.org/</link><description>d</description>{items}</channel></rss>"""


def shown(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def main(newswire, clients):
    with tempfile.TemporaryDirectory(prefix="newswire-kinds-") as name, socket.socket() as free:
        folder = pathlib.Path(name)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        (folder / "newswire.toml").write_text(CONFIG.format(port=port))
        (folder / "feed.xml").write_text(feed())
        # A daemon closes the period of a digest ten minutes after its start.
        subprocess.run([newswire, "poll"], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        daemon = subprocess.Popen([newswire, "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        base = f"http://127.0.0.1:{port}/"
        try:
            for _ in range(100):
                if shown(base + "cast.json"):
                    break
                time.sleep(0.1)
            failed = 0
            for format in FORMATS:
                places = [(f"{base}daily.{format}", 1), (f"{base}titles.{format}", 1), (f"{base}daily.{format}?q=build", 1), (f"{base}cast.{format}", 6),
                          (f"{base}planet.{format}?tag=ci", 12), (f"{base}planet.{format}?q=build+-5", 11), (str(folder / f"www/planet/tag/ci.{format}"), 12)]
                for place, items in places:
                    ended = subprocess.run([clients, "--items", str(items), "-v", place], capture_output=True, text=True)
                    print(f"{'read by every reader' if ended.returncode == 0 else 'FAILED'}: {place.removeprefix(base).removeprefix(str(folder))}")
                    if ended.returncode:
                        failed = 1
                        print(ended.stderr[-2000:])
            return failed
        finally:
            daemon.terminate()
            daemon.wait()


sys.exit(main(*(str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])))
