//! Formulas in `MathML` as text: `alttext`, or else the TeX annotation, or else a line such as `1/2`, `e^(kt)` or
//! `√(y)`.

use super::limits::{MAX_FORMULA, MAX_FORMULA_DEPTH};
use super::tokens::Tag;

/// Whether a tag is of a `<math>` element, also with a prefix such as `mml:`.
pub(super) fn is_math(name: &str) -> bool {
    local(name) == "math"
}

/// Whether a fragment may contain a formula.
fn has_math(html: &str) -> bool {
    memchr::memchr_iter(b'<', html.as_bytes()).any(|at| {
        let rest = &html.as_bytes()[at + 1..];
        let name = match rest.get(..12).unwrap_or(rest).iter().position(|byte| *byte == b':') {
            Some(colon) => &rest[colon + 1..],
            None => rest,
        };
        name.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"math"))
    })
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Whether a tag begins a formula in TeX, as `MathJax` reads it: `<script type="math/tex">`.
pub(super) fn is_tex(tag: &Tag<'_>) -> bool {
    &*tag.name == "script"
        && tag.attribute("type").is_some_and(|kind| {
            kind.trim_start().get(..8).is_some_and(|kind| kind.eq_ignore_ascii_case("math/tex"))
        })
}

/// Whether an element shows a formula a second time: it is hidden from screen readers, or a preview.
pub(super) fn is_twin(tag: &Tag<'_>) -> bool {
    tag.attribute("aria-hidden").is_some_and(|value| value.trim() == "true")
        || tag.attribute("class").is_some_and(|class| class.contains("MathJax_Preview"))
}

/// The formulas of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Formulas {
    #[default]
    None,
    /// Formulas in TeX only.
    Tex,
    /// Formulas in `MathML`; TeX may follow each.
    MathMl,
}

impl Formulas {
    /// The formulas that a fragment may contain.
    pub(super) fn of(html: &str) -> Self {
        match html {
            _ if has_math(html) => Self::MathMl,
            _ if html.contains("math/tex") => Self::Tex,
            _ => Self::None,
        }
    }
}

/// An open element of a formula.
#[derive(Default)]
struct Node {
    name: String,
    /// The children as text.
    parts: Vec<String>,
    /// Text of a leaf.
    text: String,
    /// Opening and closing bracket and separator of `mfenced`.
    fence: Option<[String; 3]>,
    /// Whether it is an annotation in TeX.
    is_tex: bool,
}

/// Reads the tags and texts of one `<math>` element.
pub(super) struct Formula {
    open: Vec<Node>,
    too_deep: usize,
    alt: Option<String>,
    tex: Option<String>,
    length: usize,
    /// Whether elements that are too deep were read as a row.
    is_flattened: bool,
}

impl Formula {
    /// The formula that begins with this tag.
    pub(super) fn new(tag: &Tag<'_>) -> Self {
        let alt = tag.attribute("alttext").map(str::trim).filter(|alt| !alt.is_empty());
        Self {
            open: vec![Node { name: local(&tag.name).to_owned(), ..Node::default() }],
            too_deep: 0,
            alt: alt.map(str::to_owned),
            tex: None,
            length: 0,
            is_flattened: false,
        }
    }

    /// Adds text to the innermost open element.
    pub(super) fn text(&mut self, text: &str) {
        self.length += text.len();
        if self.length <= MAX_FORMULA
            && let Some(open) = self.open.last_mut()
        {
            open.text.push_str(text);
        }
    }

    /// Adds a tag. Returns whether the formula ends with it.
    pub(super) fn tag(&mut self, tag: &Tag<'_>) -> bool {
        let name = local(&tag.name);
        if !tag.end {
            if self.open.len() >= MAX_FORMULA_DEPTH {
                self.is_flattened = true;
                self.too_deep += usize::from(!tag.self_closing);
                return false;
            }
            self.open.push(node(name, tag));
            if tag.self_closing || matches!(name, "mspace" | "mprescripts" | "none") {
                self.close();
            }
            return false;
        }
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return false;
        }
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            while self.open.len() > at.max(1) {
                self.close();
            }
            return at == 0;
        }
        false
    }

    fn close(&mut self) {
        let Some(node) = self.open.pop() else { return };
        if node.is_tex {
            self.tex = Some(node.text.trim().to_owned()).filter(|tex| !tex.is_empty());
        }
        let text = node.line();
        if let Some(parent) = self.open.last_mut()
            && !matches!(node.name.as_str(), "annotation" | "annotation-xml")
        {
            parent.parts.push(text);
        }
    }

    /// Whether a part of it is left out.
    pub(super) fn is_cut(&self) -> bool {
        let is_read = self.alt.is_none() && self.tex.is_none();
        is_read && (self.length > MAX_FORMULA || self.is_flattened)
    }

    /// The formula as text.
    pub(super) fn finish(mut self) -> String {
        while self.open.len() > 1 {
            self.close();
        }
        let line = self.open.pop().map(|math| math.line());
        let text = self.alt.or(self.tex).or(line).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn node(name: &str, tag: &Tag<'_>) -> Node {
    let value = |name: &str, default: &str| tag.attribute(name).unwrap_or(default).to_owned();
    let fence = (name == "mfenced")
        .then(|| [value("open", "("), value("close", ")"), value("separators", ",")]);
    let is_tex = name == "annotation"
        && tag.attribute("encoding").is_some_and(|kind| kind.to_ascii_lowercase().contains("tex"));
    Node { name: name.to_owned(), fence, is_tex, ..Node::default() }
}

impl Node {
    /// The element as a line of text.
    fn line(&self) -> String {
        let part = |at: usize| self.parts.get(at).map_or("", String::as_str);
        match self.name.as_str() {
            "mfrac" if self.parts.len() == 2 => {
                format!("{}/{}", operand(part(0)), operand(part(1)))
            }
            "msup" | "mover" if self.parts.len() == 2 => script(part(0), "^", part(1)),
            "msub" | "munder" if self.parts.len() == 2 => script(part(0), "_", part(1)),
            "msubsup" | "munderover" if self.parts.len() == 3 => {
                script(&script(part(0), "_", part(1)), "^", part(2))
            }
            "msqrt" => format!("√({})", row(&self.parts)),
            "mroot" if self.parts.len() == 2 => format!("√[{}]({})", part(1), part(0)),
            "mtr" | "mlabeledtr" => self.parts.join(", "),
            "mtable" => format!("[{}]", self.parts.join("; ")),
            "mphantom" => String::new(),
            "mspace" => " ".to_owned(),
            // The first child is the formula, the others are annotations.
            "semantics" => part(0).to_owned(),
            "mfenced" => {
                let [open, close, separators] =
                    self.fence.as_ref().map_or(["(", ")", ","], |[open, close, separators]| {
                        [open.as_str(), close.as_str(), separators.as_str()]
                    });
                let separator: String = separators.trim().chars().take(1).collect();
                format!("{open}{}{close}", self.parts.join(&separator))
            }
            _ if self.parts.is_empty() => self.text.trim().to_owned(),
            _ => row(&self.parts),
        }
    }
}

/// The parts of a row. Names of functions, such as `sin`, are separated from letters and numbers beside them.
fn row(parts: &[String]) -> String {
    let mut line = String::new();
    let (mut last_is_word, mut last_ends_in_letter) = (false, false);
    // Invisible operators.
    let visible = |c: char| !('\u{2061}'..='\u{2064}').contains(&c);
    for part in parts {
        let part: String = part.chars().filter(|c| visible(*c)).collect();
        if part.is_empty() {
            continue;
        }
        let is_word = part.chars().count() > 1 && part.chars().all(char::is_alphabetic);
        let begins = part.starts_with(char::is_alphanumeric);
        if last_ends_in_letter && begins && (last_is_word || is_word) {
            line.push(' ');
        }
        line.push_str(&part);
        last_is_word = is_word;
        last_ends_in_letter = part.ends_with(char::is_alphanumeric);
    }
    line
}

/// A part of a fraction, in brackets if it has more than one symbol.
fn operand(text: &str) -> String {
    let text = text.trim();
    let simple = text.chars().all(char::is_alphanumeric)
        || text.starts_with('(') && text.ends_with(')') && text.matches('(').count() == 1;
    if simple { text.to_owned() } else { format!("({text})") }
}

/// A base with an exponent or index.
fn script(base: &str, sign: &str, text: &str) -> String {
    let (base, text) = (base.trim(), text.trim());
    if text.is_empty() {
        return base.to_owned();
    }
    let base =
        if base.chars().any(|c| "+-−·/ ".contains(c)) { operand(base) } else { base.to_owned() };
    let one = text.chars().count() == 1 || text.chars().all(|c| c.is_ascii_digit());
    if one { format!("{base}{sign}{text}") } else { format!("{base}{sign}({text})") }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::fragment;
    use super::super::links::LinkBase;
    use super::super::text_of_html;

    fn read(html: &str) -> String {
        let base = Url::parse("https://example.org/").unwrap();
        fragment(html, LinkBase { base: &base, page: None }).unwrap_or_default()
    }

    #[test]
    fn a_formula_becomes_a_line_of_text() {
        for (math, text) in [
            ("<mfrac><mn>1</mn><mn>2</mn></mfrac>", "1/2"),
            ("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac>", "(a+b)/c"),
            ("<msup><mi>e</mi><mrow><mi>k</mi><mi>t</mi></mrow></msup>", "e^(kt)"),
            ("<msup><mi>x</mi><mn>2</mn></msup>", "x^2"),
            ("<msup><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></msup>", "(a+b)^2"),
            ("<msqrt><mi>y</mi></msqrt>", "√(y)"),
            ("<mroot><mi>y</mi><mn>3</mn></mroot>", "√[3](y)"),
            ("<msub><mi>x</mi><mi>i</mi></msub>", "x_i"),
            (
                "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>",
                "∑_(i=1)^n",
            ),
            ("<mi>sin</mi><mo>\u{2061}</mo><mi>x</mi>", "sin x"),
            ("<mfenced><mi>a</mi><mi>b</mi></mfenced>", "(a,b)"),
            (
                "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr><mtr><mtd><mn>0</mn></mtd><mtd><mn>1</mn></mtd></mtr></mtable>",
                "[1, 0; 0, 1]",
            ),
            (
                "<semantics><mi>x</mi><annotation encoding=application/x-tex>\\hat{x}</annotation></semantics>",
                "\\hat{x}",
            ),
            ("<semantics><mi>x</mi><annotation-xml><ci>x</ci></annotation-xml></semantics>", "x"),
            ("<mi>x</mi><mo>&lt;</mo><mi>y</mi>", "x&lt;y"),
        ] {
            assert_eq!(
                read(&format!("<p>a <math>{math}</math> b</p>")),
                format!("<p>a {text} b</p>")
            );
            let prefixed =
                math.replace("</", "</mml:").replace('<', "<mml:").replace("<mml:/", "</");
            assert_eq!(
                read(&format!("a <mml:math>{prefixed}</mml:math> b")),
                format!("a {text} b"),
                "{prefixed}"
            );
            let plain = text_of_html(&format!("<p>a <math>{math}</math> b</p>"));
            assert_eq!(plain, format!("a {} b", text.replace("&lt;", "<")));
        }
        assert_eq!(read("<math alttext='a^2+b^2'><mi>a</mi></math>"), "a^2+b^2");
    }

    #[test]
    fn a_formula_in_tex_is_kept_as_it_is() {
        for html in [
            "<p>a <script type='math/tex'>e^{kt}</script> b</p>",
            "<p>a <span class=MathJax_Preview>e^{kt}</span><script type='math/tex; mode=display'>e^{kt}</script> b</p>",
        ] {
            assert_eq!(read(html), "<p>a e^{kt} b</p>");
            assert_eq!(text_of_html(html), "a e^{kt} b");
        }
        assert_eq!(read("a<script>x<b>y</script>"), "a");
    }

    #[test]
    fn an_unclosed_formula_ends_at_the_next_block() {
        assert_eq!(read("<p>a <math><mi>x</mi></p><p>b</p>"), "<p>a x</p><p>b</p>");
        assert_eq!(read("a <math><mi>x</mi>"), "a x");
        let deep = format!("a <math>{}x", "<mrow>".repeat(500));
        assert_eq!(read(&deep), "a x");
    }

    #[test]
    fn the_twin_of_a_formula_is_dropped() {
        let math = "<math><semantics><mrow><mi>x</mi></mrow><annotation encoding='application/x-tex'>x</annotation></semantics></math>";
        for html in [
            format!(
                "<p>a <span class=katex><span class=katex-mathml>{math}</span><span class=katex-html aria-hidden=true><span class=base><span>x</span></span></span></span> b</p>"
            ),
            format!(
                "<p>a <span class=MathJax><nobr aria-hidden=true><span><span>x</span></span></nobr><span class=MJX_Assistive_MathML>{math}</span></span><script type=math/tex>x</script> b</p>"
            ),
            format!(
                "<p>a <mjx-container><mjx-math aria-hidden=true><mjx-mi>x</mjx-mi></mjx-math><mjx-assistive-mml>{math}</mjx-assistive-mml></mjx-container> b</p>"
            ),
            format!("<p>a <span>{math}<img aria-hidden=true alt=x src=/x.svg></span> b</p>"),
        ] {
            assert_eq!(read(&html), "<p>a x b</p>", "{html}");
            assert_eq!(text_of_html(&html), "a x b", "{html}");
        }
        // Without a formula, what is hidden from screen readers is content.
        assert_eq!(read("<p>Mark: <span aria-hidden=true>★★</span></p>"), "<p>Mark: ★★</p>");
        assert_eq!(
            read("<math><mi>x</mi></math><span aria-hidden=true>y<p>kept</p>"),
            "x<p>kept</p>"
        );
    }
}
