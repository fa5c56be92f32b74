"""The payloads in every field of every format that comes in."""

import json
import re
import struct
import zlib
from xml.sax.saxutils import escape, quoteattr

# XML 1.0 2.2: what a document cannot even carry.
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def text(payload):
    return escape(ILLEGAL.sub("", payload))


def attribute(payload):
    return quoteattr(ILLEGAL.sub("", payload))


def rss(payloads, date="Thu, 20 Nov 2025 09:00:00 GMT"):
    def item(number, payload):
        p, a = text(payload), attribute(payload)
        whole = ILLEGAL.sub("", payload)
        content = f"<![CDATA[{whole}]]>" if "]]>" not in whole else p
        return f"""<item><title>{p}</title><link>http://rss.test/{number}</link><guid isPermaLink="false">{p}-{number}</guid>
<description>{p}</description><content:encoded>{content}</content:encoded><author>{p}</author><dc:creator>{p}</dc:creator>
<category domain={a}>{p}</category><enclosure url={a} type={a} length="1"/><comments>{p}</comments>
<source url={a}>{p}</source><media:content url={a}/><media:title>{p}</media:title><itunes:image href={a}/>
<pubDate>{date}</pubDate></item>"""
    items = "".join(item(n, payload) for n, payload in enumerate(payloads))
    name = text("RSS <script>document.documentElement.dataset.pwned=1</script>")
    return f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>{name}</title><link>javascript:1</link>
<description>x</description>{items}</channel></rss>"""


def titled(payload, number):
    """A feed whose title, page and only item are the payload."""
    p = text(payload)
    return f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{p}</title><link>http://site{number}.test/{quoteattr(payload)[1:-1] if payload.isascii() and payload.isprintable() else ""}</link>
<description>{p}</description><item><title>{p}</title><guid isPermaLink="false">{p}</guid><link>{p}</link></item></channel></rss>"""


def atom(payloads):
    def entry(number, payload):
        p, a = text(payload), attribute(payload)
        return f"""<entry><id>urn:x:{number}</id><title type="html">{p}</title><updated>2025-11-20T09:00:00Z</updated>
<link href="http://atom.test/{number}"/><link rel="enclosure" href={a} title={a}/><link rel="via" href={a}/><link rel="replies" href={a}/>
<author><name>{p}</name><uri>{p}</uri><email>{p}</email></author><category term={a} label={a} scheme={a}/><rights type="html">{p}</rights>
<summary type="html">{p}</summary><content type="html">{p}</content><source><id>{p}</id><title type="html">{p}</title><link href={a}/></source></entry>"""
    entries = "".join(entry(n, payload) for n, payload in enumerate(payloads))
    return f"""<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><id>urn:x:feed</id>
<title type="html">&lt;img src=x onerror=document.documentElement.dataset.pwned=1&gt;Atom</title><updated>2025-11-20T09:00:00Z</updated>{entries}</feed>"""


def json_feed(payloads):
    def item(number, payload):
        return {"id": f"j{number}", "url": f"http://json.test/{number}", "external_url": payload, "title": payload, "summary": payload,
                "content_html": payload, "image": payload, "banner_image": payload, "language": payload, "tags": [payload],
                "authors": [{"name": payload, "url": payload, "avatar": payload}], "date_published": "2025-11-20T09:00:00Z",
                "attachments": [{"url": payload, "mime_type": payload, "title": payload}]}
    items = [item(n, payload) for n, payload in enumerate(payloads)]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "</title><script>document.documentElement.dataset.pwned=1</script>",
                       "home_page_url": "javascript:1", "items": items})


def clean(own, date=None):
    """Harmless stories with all that a page shows: pictures, one of them of the origin `own`, a sound, a table, a list, authors and a tag."""
    html = f"""<p>Der <b>Hafen</b> wird im Mai eröffnet.</p><img src="https://pictures.invalid/a.jpg" alt="Der Hafen"><img src="{own}photo.png" alt="Die Mole"><img src="{own}evil.png" alt="Die Falle"><h2>Zahlen</h2>
<table><tr><th>Jahr</th><th>Schiffe</th></tr><tr><td>2024</td><td>12</td></tr></table><ul><li>eins</li><li>zwei</li></ul>
<blockquote><p>Ein Satz.</p></blockquote><pre>cargo run</pre>"""
    long = "<p>" + "Ein langer Satz über den Hafen und seine Schiffe. " * 40 + "</p>"
    def item(number, content, more=""):
        return f"""<item><title>Neuigkeit {number} vom Hafen</title><link>https://clean.test/{number}</link><guid isPermaLink="false">c{number}</guid>
<dc:creator>Ada</dc:creator><category>Hafen</category><content:encoded>{text(content)}</content:encoded>{more}
<pubDate>{date or f"Thu, {18 + number} Nov 2025 09:00:00 GMT"}</pubDate></item>"""
    sound = '<enclosure url="https://pictures.invalid/a.mp3" type="audio/mpeg" length="1"/>'
    picture = f'<media:content url="{own}photo.png?b" medium="image"/>'
    remote = '<media:content url="https://pictures.invalid/b.jpg" medium="image"/>'
    items = item(1, html) + item(2, long, sound + remote) + item(3, html + long, picture)
    return f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Hafenblatt</title>
<link>https://clean.test/</link><description>x</description><language>de</language>{items}</channel></rss>"""


def photo(width, height):
    """A PNG."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(part for x in range(width) for part in (x % 256, y % 256, (x * y) % 256)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
