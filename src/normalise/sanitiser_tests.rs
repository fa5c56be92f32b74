//! Hostile HTML of every known kind, and the properties of sanitised HTML.

use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, StartTag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer,
};
use proptest::prelude::*;
use std::cell::RefCell;
use url::Url;

use super::allowlist::{element, sanitise};
use super::html::fragment;
use super::html::rewrite;
use super::links::LinkBase;
use super::plain_text::{MAX_HTML, text_of_html};

/// Scripts, by element, handler and scheme.
const SCRIPTS: &[&str] = &[
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script/x>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<<script>alert(1)//<</script>",
    "<script>alert(1)",
    "<script src=https://evil.example/x.js /><p>after",
    "</p><script\n>alert(1)</script\n>",
    "<noscript><img src=x onerror=alert(1)></noscript>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<img src=x onerror=alert(1)>",
    "<img src=x ONERROR=alert(1)>",
    "<img src=x onerror\n=\nalert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<img src=x:alert(alt) onerror=eval(src) alt=1>",
    "<img \"\"\"><script>alert(1)</script>\">",
    "<img src='x' onerror='alert(1)'",
    "<p onmouseover=alert(1)>hover",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video onloadstart=alert(1) src=https://e.example/v.mp4>",
    "<video><source onerror=alert(1) src=x></video>",
    "<audio src=x onerror=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)><option>x",
    "<marquee onstart=alert(1)>x</marquee>",
    "<xss onclick=alert(1) tabindex=1>x</xss>",
    "<x-custom is=x onclick=alert(1)>x</x-custom>",
    "<a onclick=alert(1)>x</a>",
    "<a href=https://e.example/ onfocus=alert(1) id=x>x</a>",
    "<td background=javascript:alert(1) onclick=x>x",
    "<p onclick&equals;alert(1)>x",
    "<p\u{c}onclick=alert(1)>x",
    "<p/onclick=alert(1)/>x",
    "<p style=x onclick='alert(1)'>x",
];

/// Links that execute code.
const LINKS: &[&str] = &[
    "<a href=javascript:alert(1)>x</a>",
    "<a href=JaVaScRiPt:alert(1)>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "<a href='java&Tab;script&colon;alert(1)'>x</a>",
    "<a href='&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;:alert(1)'>x</a>",
    "<a href='&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1)'>x</a>",
    "<a href='&#0000106avascript:alert(1)'>x</a>",
    "<a href='\u{1}javascript:alert(1)'>x</a>",
    "<a href='\u{a0}javascript:alert(1)'>x</a>",
    "<a href='\u{feff}javascript:alert(1)'>x</a>",
    "<a href='\u{2028}javascript:alert(1)'>x</a>",
    "<a href='&#1;javascript:alert(1)'>x</a>",
    "<a href='javascript\0:alert(1)'>x</a>",
    "<a href='view-source:javascript:alert(1)'>x</a>",
    "<a href='feed:javascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='livescript:alert(1)'>x</a>",
    "<a href='mocha:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='DATA:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>",
    "<a href='blob:https://e.example/1'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='jar:https://e.example/x!/'>x</a>",
    "<a href=https://e.example/ ping=javascript:alert(1)>x</a>",
    "<a href=https://e.example/ target=_blank>x</a>",
    "<a xlink:href=javascript:alert(1)>x</a>",
    "<area href=javascript:alert(1)>",
    "<map name=m><area href=javascript:alert(1) shape=default></map><img usemap=#m src=x>",
    "<img src=javascript:alert(1)>",
    "<img src='jav&#x0A;ascript:alert(1)'>",
    "<img src=data:image/svg+xml,<svg/onload=alert(1)>>",
    "<img src=x srcset='javascript:alert(1) 1x, data:image/svg+xml,x 2x'>",
    "<img srcset=',javascript:alert(1),, java\tscript:x 2x'>",
    "<img lowsrc=javascript:alert(1) dynsrc=javascript:alert(1) longdesc=javascript:alert(1) src=x>",
    "<img data-src=javascript:alert(1) data-srcset='data:x 2x'>",
    "<video poster=javascript:alert(1) src=javascript:alert(1)></video>",
    "<audio><source src=javascript:alert(1)><track src=data:x></audio>",
    "<q cite=javascript:alert(1)>x</q><blockquote cite='data:x'>y</blockquote>",
    "<ins cite=vbscript:x>x</ins><del cite='java\rscript:x'>y</del>",
    "<table background=javascript:alert(1)><tr><td background='vbscript:x'>x</table>",
    "<a href='https://user:secret@e.example/'>x</a>",
];

/// Elements that load, submit, restyle, redirect or shadow the page.
const ELEMENTS: &[&str] = &[
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=data:text/html,x>",
    "<iframe/src='https://e.example/' onload=alert(1)>x</iframe>y",
    "<frameset><frame src=javascript:alert(1)></frameset>",
    "<object data=javascript:alert(1)></object>",
    "<object type=text/html data='data:text/html,x'><embed src=javascript:alert(1)></object>",
    "<embed src=//evil.example/x.swf allowscriptaccess=always>",
    "<embed code=javascript:alert(1)>",
    "<applet code=x codebase=javascript:alert(1)></applet>",
    "<form action=javascript:alert(1)><input type=submit><button formaction=javascript:x>go</button></form>",
    "<isindex action=javascript:alert(1) type=image>",
    "<input type=image src=javascript:alert(1)>",
    "<button form=x formaction=javascript:alert(1)>x",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<meta charset=utf-7>+ADw-script+AD4-alert(1)",
    "<base href=javascript:alert(1)//><a href=x>y</a>",
    "<base href=//evil.example/><img src=x>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<link rel=import href=//evil.example/>",
    "<style>@import 'javascript:alert(1)';</style>",
    "<style>*{background:url(javascript:alert(1))}</style>",
    "<style><img src='</style><img src=x onerror=alert(1)//'>",
    "<style>body{display:none}",
    "<p style='background:url(javascript:alert(1))'>x",
    "<p style='width:expression(alert(1))'>x",
    "<p style='-moz-binding:url(//evil.example/x.xml#x)'>x",
    "<p style='position:fixed;inset:0;z-index:9999'>x",
    "<p style=\"behavior:url('#default#time2')\">x",
    "<img name=getElementById src=https://e.example/a.png>",
    "<a id=document name=cookie href=https://e.example/>x</a>",
    "<form id=self name=location><input name=attributes><input id=children></form>",
    "<p id=__proto__ class='modal admin'>x",
    "<dialog open>x</dialog><p popover>y",
    "<portal src=javascript:alert(1)></portal><fencedframe src=x></fencedframe>",
    "<template><script>alert(1)</script></template>",
    "<template shadowrootmode=open><slot onslotchange=alert(1)></template>",
    "<bgsound src=javascript:alert(1)><layer src=javascript:x></layer>",
    "<xml id=x><a><![CDATA[<script>alert(1)</script>]]></a></xml>",
    "<?xml-stylesheet href='javascript:alert(1)'?><!DOCTYPE html [<!ENTITY x 'y'>]>",
    "<html manifest=javascript:x><head><title><script>alert(1)</script></title></head><body background=javascript:x>y",
];

/// HTML that parsers read differently: as text or as markup.
const MUTANTS: &[&str] = &[
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg><a xlink:href=javascript:alert(1)><text y=9>x</text></a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
    "<svg><set attributeName=onmouseover to=alert(1)></svg>",
    "<svg><use href='data:image/svg+xml,x#x'></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>x</script>'></foreignObject></svg>",
    "<svg></p><style><a title=\"</style><img src=x onerror=alert(1)>\">",
    "<svg><title><style><!--</style><img src=x onerror=alert(1)>--></title></svg>",
    "<svg><image href=javascript:alert(1) /></svg><image src=javascript:x onerror=alert(1)>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<math href=javascript:alert(1)><mtext>x</mtext></math>",
    "<math><annotation-xml encoding=text/html><style><img src=x onerror=alert(1)></style></annotation-xml></math>",
    "<math><mtext></form><form><mglyph><svg><mtext><style><path id='</style><img onerror=alert(1) src>'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<select><style></select><img src=x onerror=alert(1)></style>",
    "<select><iframe></select><img src=x onerror=alert(1)>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<title><img title='</title><img src=x onerror=alert(1)>'>",
    "<xmp><img title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<noembed><img title='</noembed><img src=x onerror=alert(1)>'></noembed>",
    "<noframes><p title='</noframes><img src=x onerror=alert(1)>'>",
    "<iframe><p title='</iframe><img src=x onerror=alert(1)>'>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
    "<pre>\n\n<img src=x onerror=alert(1)></pre>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!--- ><img src=x onerror=alert(1)> --!><img src=x onerror=alert(1)>",
    "<!-- --!><script>alert(1)</script>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<![CDATA[x]]><script>alert(1)</script>",
    "<!foo><img src=x onerror=alert(1)><?php echo '<script>' ?>",
    "</ script><img src=x onerror=alert(1)></!>",
    "<p title='&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;'>x",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(1)",
    "<a title=\"x\" title='><script>alert(1)</script>' href=https://e.example/>x</a>",
    "<a href='https://e.example/?\"><script>alert(1)</script>'>x</a>",
    "<a href=`https://e.example/` title=``onmouseover=alert(1)>x</a>",
    "<table><td><a href=https://e.example/><table><a href=javascript:alert(1)>x",
    "<p><button><p>x</p></button></p><p><a href=https://e.example/><p><a href=https://f.example/>y",
    "<b><i><u><p></b></i></u>x<table><b><tr><i><td></b>y</table>z",
    "<table><tr><td><ul><li><table><caption><li><col><tfoot><h1><h2></table></li>x",
    "\u{fe64}script\u{fe65}alert(1)\u{ff1c}/script\u{ff1e}",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<\0script>alert(1)</\0script><p o\0nclick=alert(1)>x",
    "<a\u{85}href=javascript:alert(1)>x</a>",
    "<p></p/><p x='<script>' y=\"</script>\">&#x110000;&#xD800;&#0;",
    "<a href='https://e.example/' <b>nested</b> onclick=x>y</a>",
    "<ruby><rtc><rt><rp><rb>x</ruby><details><summary><summary>y</details>",
];

fn clean(html: &str) -> String {
    let base = Url::parse("https://example.org/blog/feed.xml").unwrap();
    fragment(html, LinkBase { base: &base, page: None }).unwrap_or_default()
}

/// Depth and violations of the tags, as a browser reads them.
#[derive(Default)]
struct Judge(RefCell<(usize, usize, Vec<String>)>);

impl TokenSink for Judge {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let (depth, deepest, wrongs) = &mut *self.0.borrow_mut();
        match token {
            TagToken(tag) if tag.kind == StartTag => {
                if element(&tag.name).is_none_or(|(name, _)| *name != *tag.name) {
                    wrongs.push(format!("<{}>", &*tag.name));
                }
                *depth += usize::from(!super::writer::is_void(&tag.name));
                *deepest = (*deepest).max(*depth);
                for attribute in &tag.attrs {
                    let (name, value) = (&*attribute.name.local, &*attribute.value);
                    let leads = |url: &str| {
                        Url::parse(url)
                            .is_ok_and(|url| ["http", "https", "mailto"].contains(&url.scheme()))
                    };
                    if name.starts_with("on")
                        || ["style", "id", "name", "class", "target", "srcdoc", "ping"]
                            .contains(&name)
                        || name.contains("action")
                        || value.contains("secret")
                        || ["href", "src", "poster", "cite"].contains(&name) && !leads(value)
                        || name == "srcset"
                            && !value.split(", ").all(|c| leads(c.split(' ').next().unwrap_or(c)))
                    {
                        wrongs.push(format!("{name}={value}"));
                    }
                }
            }
            TagToken(_) => *depth = depth.saturating_sub(1),
            CharacterTokens(_) | Token::EOFToken => {}
            Token::ParseError(_)
            | Token::CommentToken(_)
            | Token::DoctypeToken(_)
            | Token::NullCharacterToken => {
                wrongs.push(format!("{token:?}"));
            }
        }
        TokenSinkResult::Continue
    }
}

/// Asserts that sanitised HTML has no code and no foreign content, is bounded, well-formed and stable.
fn assert_harmless(html: &str) {
    let safe = clean(html);
    let (input, judge) =
        (BufferQueue::default(), Tokenizer::new(Judge::default(), Default::default()));
    input.push_back(safe.as_str().into());
    let _ = judge.feed(&input);
    judge.end();
    let (_, deepest, wrongs) = judge.sink.0.into_inner();
    let shown = || {
        format!(
            "of {:?}\nis {:?}",
            html.get(..300).unwrap_or(html),
            safe.get(..300).unwrap_or(&safe)
        )
    };
    assert!(wrongs.is_empty(), "{wrongs:?}\n{}", shown());
    assert!(deepest <= 128, "{deepest} deep\n{}", shown());
    assert!(safe.len() <= MAX_HTML, "{} bytes\n{}", safe.len(), shown());
    assert_eq!(crate::text::chars::clean(&safe), safe, "{}", shown());
    assert_eq!(clean(&safe), safe, "cleaned again, {}", shown());
}

#[test]
fn no_attack_survives_the_sanitiser() {
    let attacks: Vec<_> = [SCRIPTS, LINKS, ELEMENTS, MUTANTS].concat();
    assert!(attacks.len() >= 150);
    for attack in &attacks {
        assert_harmless(attack);
        for (before, after) in [
            ("<p>a</p>", "<p>b</p>"),
            ("<table><tr><td>", "</table>"),
            ("<table>", "<tr><td>x"),
            ("<a href=https://e.example/><b>", "</b></a>"),
            ("<svg>", "</svg>"),
            ("<math><mtext>", "</math>"),
            ("<select><option>", "</select>"),
            ("<picture><video><ul>", "</ul>"),
            ("<pre>\n", "</pre>"),
            ("<!--", "-->"),
            ("<p title='", "'>"),
        ] {
            assert_harmless(&format!("{before}{attack}{after}"));
        }
    }
    for (one, other) in attacks.iter().zip(attacks.iter().skip(7)) {
        assert_harmless(&format!("{one}{other}"));
    }
}

#[test]
fn hostile_nesting_and_repetition_have_bounded_cost() {
    let much = |part: &str| part.repeat(MAX_HTML / part.len() + 99);
    let numbered =
        |part: &str| (0..20_000).map(|n| part.replace('#', &n.to_string())).collect::<String>();
    for hostile in [
        much("<b>"),
        much("<div>"),
        much("<a href=x><table>"),
        much("<table><tr><td>"),
        much("<ul><li>"),
        much("<p><b><p><i>"),
        much("</p>"),
        much("&amp;"),
        much("\u{a0}\""),
        much("<svg>"),
        much("<span></b></i></div>"),
        much("<table>x<caption>"),
        much("<img srcset='a 1x,b 2x' src=c>"),
        much("<pre>\n"),
        much("<a href=x>y"),
        much("a <"),
        much("<!--"),
        much("x"),
        numbered("<b lang=a-#>"),
        numbered("<p><b lang=a-#></p>x"),
        format!("<p>{}", numbered("<b lang=a-#>") + &much("<p>x")),
        format!("<p {}>x", numbered(" a#")),
        much("<a/x="),
        much("<a x='<a "),
    ] {
        assert_harmless(&hostile);

        assert!(text_of_html(&hostile).len() <= MAX_HTML);
    }
}

#[test]
fn a_long_base_url_does_not_exceed_the_output_limit() {
    let base = Url::parse(&format!("https://example.org/{}/", "b".repeat(7_000))).unwrap();
    let html = "<a href=x>y</a>".repeat(10_000);
    assert!(fragment(&html, LinkBase { base: &base, page: None }).unwrap().len() <= MAX_HTML);
}

/// Random HTML, sometimes near the maximum depth.
fn html() -> impl Strategy<Value = String> {
    let depth = prop_oneof![2 => Just(0), 1 => 110..130_usize];
    let outer = prop_oneof![Just("<div>"), Just("<table>"), Just("<b lang=de>"), Just("<ruby>")];
    let pieces = prop::collection::vec(piece(), 0..40);
    (depth, outer, pieces).prop_map(|(depth, outer, pieces)| outer.repeat(depth) + &pieces.concat())
}

/// Pieces of HTML, complete and broken.
fn piece() -> impl Strategy<Value = String> {
    let names = "(a|b|i|p|div|table|tbody|tr|td|th|caption|col|ul|ol|li|dl|dd|dt|h1|h2|pre|img|video|source|picture|svg|math|mi|style|script|select|option|form|button|noscript|iframe|title|ruby|rt|rp|details|summary|span|font|template|br|hr|input|x-y)";
    let matching = |pattern: String| prop::string::string_regex(&pattern).unwrap();
    prop_oneof![
        4 => matching(format!("<{names}>")),
        4 => matching(format!("</{names}>")),
        2 => matching(format!("<{names} (href|src|srcset|dir|lang|width|title|alt|data-src|onclick|style)=[\"']?(/a b|x 2x, y|javascript:x|rtl|de|1|&quot;|<b>|https://e.example/a)[\"']?>")),
        2 => "[a-z \n]{1,5}",
        1 => "(&amp;|&lt;|&nbsp;|&#10;|&#x0;|&|<|>|\"|'|<!--|-->|<!\\[CDATA\\[|\\]\\]>|</|\u{a0}|é|\r)",
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sanitised_html_is_harmless_and_stable(html in html()) {
        assert_harmless(&html);
    }

    #[test]
    fn ammonia_changes_nothing_in_rewritten_html(html in html()) {
        let base = Url::parse("https://example.org/").unwrap();
        let mended = rewrite(&html, LinkBase { base: &base, page: None }).html;
        prop_assert_eq!(&sanitise(&mended), &mended);
    }

    #[test]
    fn the_text_of_any_html_is_plain_text(html in html()) {
        let text = text_of_html(&html);
        prop_assert_eq!(crate::text::chars::clean(&text), text.as_str());
    }
}
