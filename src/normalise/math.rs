//! Formulas as text: in `MathML` the `alttext`, or else the TeX annotation, or else a line such as `1/2`, `e^(kt)` or
//! `√(y)`; in scripts for `MathJax` as they are written. `math_line` makes the line.

use super::limits::{MAX_FORMULA, MAX_FORMULA_DEPTH};
use super::math_line::{Node, Part};
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

/// Types of scripts with a formula, as `MathJax` reads them.
const SCRIPTS: &[&str] = &["math/tex", "math/mml", "math/asciimath"];

/// Whether a tag begins a script with a formula: `<script type="math/tex">`.
pub(super) fn is_script(tag: &Tag<'_>) -> bool {
    let kind = tag.attribute("type").filter(|_| &*tag.name == "script").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    SCRIPTS.contains(&kind.as_str())
}

/// Whether an element shows a formula a second time: it is hidden from screen readers, or a preview.
pub(super) fn is_twin(tag: &Tag<'_>) -> bool {
    tag.attribute("aria-hidden").is_some_and(|value| value.trim() == "true")
        || tag.attribute("class").is_some_and(|class| class.contains("MathJax_Preview"))
}

/// The formulas of a fragment, while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Formulas {
    /// Whether the fragment may contain any.
    pub(super) exist: bool,
    /// Whether only space separates this place from the end of a `<math>` element. `MathJax` adds one to each of its
    /// scripts, before it.
    is_shown: bool,
}

impl Formulas {
    /// The formulas of a fragment, at its beginning.
    pub(super) fn of(html: &str) -> Self {
        let in_script = || SCRIPTS.iter().any(|kind| html.contains(kind));
        Self { exist: has_math(html) || in_script(), is_shown: false }
    }

    /// The formula that a start tag begins.
    pub(super) fn begun_by(self, tag: &Tag<'_>) -> Option<Formula> {
        if is_math(&tag.name) {
            return (!tag.self_closing).then(|| Formula::new(tag));
        }
        (self.exist && !self.is_shown && is_script(tag)).then(|| Formula::new(tag))
    }

    /// Records a text outside of formulas.
    pub(super) fn pass(&mut self, text: &str) {
        self.is_shown &= text.trim().is_empty();
    }

    /// The text of a formula that ends.
    pub(super) fn end(&mut self, formula: Formula) -> String {
        self.is_shown = formula.is_element;
        formula.finish()
    }
}

/// Reads the tags and texts of one formula.
pub(super) struct Formula {
    /// Whether it is a `<math>` element, not a script.
    is_element: bool,
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
    fn new(tag: &Tag<'_>) -> Self {
        let alt = tag.attribute("alttext").map(str::trim).filter(|alt| !alt.is_empty());
        Self {
            is_element: is_math(&tag.name),
            open: vec![Node::new(local(&tag.name), tag)],
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
            self.open.push(Node::new(name, tag));
            if tag.self_closing || matches!(name, "mspace" | "mprescripts" | "none" | "sep") {
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
        if let Some(parent) = self.open.last_mut() {
            parent.add(&node);
        }
    }

    /// Whether a part of it is left out.
    pub(super) fn is_cut(&self) -> bool {
        let is_read = self.alt.is_none() && self.tex.is_none();
        is_read && (self.length > MAX_FORMULA || self.is_flattened)
    }

    /// The formula as text.
    fn finish(mut self) -> String {
        while self.open.len() > 1 {
            self.close();
        }
        let line = self.open.pop().map(|math| math.line());
        let text = self.alt.or(self.tex).or(line.map(|Part { text, .. }| text));
        text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }
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

    /// Checks the text of formulas in HTML, with prefixes, and in plain text.
    fn check(cases: &[(&str, &str)]) {
        for (math, text) in cases {
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
    }

    #[test]
    fn a_formula_becomes_a_line_of_text() {
        check(&[
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
            ("<mfenced open='[[[[[[[[[['><mi>a</mi></mfenced>", "[[[[[[[[a)"),
            ("<mmultiscripts><mi>a</mi><none/><none/><none/><mn>2</mn></mmultiscripts>", "a^2"),
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
        ]);
        assert_eq!(read("<math alttext='a^2+b^2'><mi>a</mi></math>"), "a^2+b^2");
    }

    #[test]
    fn parts_beside_each_other_keep_their_meaning() {
        check(&[
            ("<mn>2</mn><mfrac><mn>1</mn><mn>2</mn></mfrac>", "2 1/2"),
            ("<mi>x</mi><mfrac><mn>1</mn><mn>2</mn></mfrac><mi>y</mi>", "x 1/2 y"),
            ("<msup><mn>10</mn><mn>2</mn></msup><mo>\u{2062}</mo><mn>5</mn>", "10^2 5"),
            ("<mn>2</mn><mo>\u{2062}</mo><mn>5</mn><mo>\u{2062}</mo><mi>x</mi>", "2 5x"),
            ("<msub><mi>x</mi><mn>1</mn></msub><mn>2</mn>", "x_1 2"),
            ("<mfrac><mi>a</mi><mrow><mi>b</mi><mi>c</mi></mrow></mfrac>", "a/(bc)"),
            ("<mfrac><mrow><mi>a</mi><mi>b</mi></mrow><mi>c</mi></mfrac>", "ab/c"),
            ("<mfrac><mi>a</mi><mfrac><mi>b</mi><mi>c</mi></mfrac></mfrac>", "a/(b/c)"),
            ("<msup><msup><mi>x</mi><mi>a</mi></msup><mi>b</mi></msup>", "(x^a)^b"),
            (
                "<mmultiscripts><mi>U</mi><mprescripts/><mn>92</mn><mn>235</mn></mmultiscripts>",
                "_92^235 U",
            ),
            (
                "<mmultiscripts><mi>C</mi><mn>6</mn><none/><mprescripts/><none/><mn>14</mn></mmultiscripts>",
                "^14 C_6",
            ),
            ("<mo>(</mo><mfrac linethickness=0><mi>n</mi><mi>k</mi></mfrac><mo>)</mo>", "(n; k)"),
            ("<maction><mn>1</mn><mn>2</mn></maction>", "1"),
            ("<maction selection=2><mn>1</mn><mn>2</mn></maction>", "2"),
            ("<menclose notation=radical><mn>2</mn></menclose>", "√(2)"),
            ("<apply><divide/><cn>1</cn><cn>2</cn></apply>", "1/2"),
            ("<apply><power/><ci>x</ci><cn>2</cn></apply>", "x^2"),
            (
                "<apply><times/><apply><plus/><ci>a</ci><ci>b</ci></apply><ci>c</ci></apply>",
                "(a+b)·c",
            ),
            ("<apply><sin/><ci>x</ci></apply>", "sin(x)"),
            ("<apply><ci>f</ci><ci>x</ci><ci>y</ci></apply>", "f(x, y)"),
            ("<cn type=rational>1<sep/>2</cn>", "1/2"),
            (
                "<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover><msub><mi>a</mi><mi>i</mi></msub>",
                "∑_i^n a_i",
            ),
            ("<mover><mi>x</mi><mo>^</mo></mover>", "x\u{302}"),
            ("<mover><mrow><mi>A</mi><mi>B</mi></mrow><mo>¯</mo></mover>", "A\u{305}B\u{305}"),
            ("<msup><mn>90</mn><mo>∘</mo></msup>", "90°"),
            ("<msup><mi>f</mi><mo>″</mo></msup>", "f″"),
        ]);
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
        let mixed =
            "<p>a <math><mi>x</mi></math> and <script type='math/tex'>e^{kt}</script> b</p>";
        assert_eq!(read(mixed), "<p>a x and e^{kt} b</p>");
        let two = "<script type=math/tex>a</script> <script type=math/tex>b</script>";
        assert_eq!(read(two), "a b");
        let others = "a <script type='math/mml'><math><mfrac><mn>1</mn><mn>2</mn></mfrac></math></script> \
            b <script type='math/asciimath'>1/2</script>";
        assert_eq!(read(others), "a 1/2 b 1/2");
        assert_eq!(text_of_html(others), "a 1/2 b 1/2");
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
