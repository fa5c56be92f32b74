//! The line of text for an element of `MathML`, from those of its children.

use super::tokens::Tag;

/// Maximum length of a bracket of `mfenced` in characters.
const MAX_FENCE: usize = 8;

/// An open element of a formula.
#[derive(Default)]
pub(super) struct Node {
    pub(super) name: String,
    /// The children as text.
    parts: Vec<Part>,
    /// Text of a leaf.
    pub(super) text: String,
    /// Opening and closing bracket and separator of `mfenced`.
    fence: Option<[String; 3]>,
    /// Whether it is an annotation in TeX.
    pub(super) is_tex: bool,
    /// What joins the two texts of a number in content markup: `e` or `/`.
    separator: &'static str,
    /// Whether the element shows other than its name says: a fraction without a bar, a root around its content.
    is_special: bool,
    /// The operator or function of an `apply`.
    operator: Option<String>,
    /// The scripts before the base, of which the first is this part.
    before: Option<usize>,
    /// Number of the child that an `maction` shows, from 0.
    shown: usize,
}

/// An element as text.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) text: String,
    shape: Shape,
}

/// What a text of a formula is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Shape {
    /// One name, number or sign.
    #[default]
    Token,
    /// Several parts beside each other.
    Row,
    Fraction,
    /// A base with an index or exponent.
    Script,
    /// It has brackets around it.
    Closed,
}

impl Node {
    /// The element that this tag begins; `name` is without prefix.
    pub(super) fn new(name: &str, tag: &Tag<'_>) -> Self {
        // Brackets are short. Longer values would be written again for each element.
        let value = |name: &str, default: &str| -> String {
            tag.attribute(name).unwrap_or(default).chars().take(MAX_FENCE).collect()
        };
        let has = |name: &str, wanted: &str| {
            tag.attribute(name).is_some_and(|value| value.to_ascii_lowercase().contains(wanted))
        };
        Self {
            name: name.to_owned(),
            fence: (name == "mfenced")
                .then(|| [value("open", "("), value("close", ")"), value("separators", ",")]),
            is_tex: name == "annotation" && has("encoding", "tex"),
            separator: if has("type", "e-notation") { "e" } else { "/" },
            is_special: match name {
                "mfrac" => tag.attribute("linethickness").is_some_and(is_zero),
                "menclose" => has("notation", "radical"),
                _ => false,
            },
            shown: tag
                .attribute("selection")
                .and_then(|number| number.trim().parse::<usize>().ok())
                .map_or(0, |number| number.saturating_sub(1)),
            ..Self::default()
        }
    }

    /// Adds a child that is complete.
    pub(super) fn add(&mut self, child: &Self) {
        match child.name.as_str() {
            "annotation" | "annotation-xml" => return,
            "sep" => return self.text.push_str(self.separator),
            "mprescripts" => self.before = Some(self.parts.len()),
            _ => {}
        }
        let is_empty = child.parts.is_empty() && child.text.trim().is_empty();
        if self.name == "apply" && self.parts.is_empty() && self.operator.is_none() && is_empty {
            self.operator = Some(child.name.clone());
        } else if child.name != "mprescripts" {
            self.parts.push(child.line());
        }
    }

    /// The element as a line of text.
    pub(super) fn line(&self) -> Part {
        let none = Part::default();
        let part = |at: usize| self.parts.get(at).unwrap_or(&none);
        match (self.name.as_str(), self.parts.len()) {
            ("mfrac", 2) if self.is_special => {
                Part::new(format!("{}; {}", part(0).text, part(1).text), Shape::Row)
            }
            ("mfrac", 2) => fraction(part(0), part(1)),
            ("msup" | "msub", 2) => script(part(0), sign(&self.name), &part(1).text),
            ("mover" | "munder", 2) => match accent(&part(1).text) {
                Some(mark) if self.name == "mover" => part(0).with_mark(mark),
                _ => script(part(0), sign(&self.name), &part(1).text),
            },
            ("msubsup" | "munderover", 3) => {
                script(&script(part(0), "_", &part(1).text), "^", &part(2).text)
            }
            ("mmultiscripts", _) => self.scripts(),
            ("msqrt", _) => Part::new(format!("√({})", row(&self.parts).text), Shape::Closed),
            ("menclose", _) if self.is_special => {
                Part::new(format!("√({})", row(&self.parts).text), Shape::Closed)
            }
            ("mroot", 2) => {
                Part::new(format!("√[{}]({})", part(1).text, part(0).text), Shape::Closed)
            }
            ("mtr" | "mlabeledtr", _) => Part::new(joined(&self.parts, ", "), Shape::Row),
            ("mtable", _) => Part::new(format!("[{}]", joined(&self.parts, "; ")), Shape::Closed),
            ("mphantom", _) => Part::default(),
            ("mspace", _) => Part::new(" ".to_owned(), Shape::Token),
            // The first child is the formula, the others are annotations.
            ("semantics", _) => part(0).clone(),
            ("maction", _) => part(self.shown).clone(),
            ("mfenced", _) => {
                let [open, close, separators] =
                    self.fence.as_ref().map_or(["(", ")", ","], |[open, close, separators]| {
                        [open.as_str(), close.as_str(), separators.as_str()]
                    });
                let separator: String = separators.trim().chars().take(1).collect();
                let text = format!("{open}{}{close}", joined(&self.parts, &separator));
                Part::new(text, Shape::Closed)
            }
            ("apply", _) => self.applied(),
            (_, 0) => Part::new(self.text.trim().to_owned(), Shape::Token),
            _ => row(&self.parts),
        }
    }

    /// A base with scripts on both sides.
    fn scripts(&self) -> Part {
        let Some((base, scripts)) = self.parts.split_first() else { return Part::default() };
        let before = self.before.unwrap_or(self.parts.len()).saturating_sub(1).min(scripts.len());
        let (after, before) = scripts.split_at(before);
        let pairs = |base: Part, scripts: &[Part]| {
            // Each pair copies what is before it.
            let is_shown = |pair: &&[Part]| pair.iter().any(|part| !part.text.trim().is_empty());
            scripts.chunks(2).filter(is_shown).fold(base, |base, pair| {
                let sub = pair.first().map_or("", |part| part.text.as_str());
                let sup = pair.get(1).map_or("", |part| part.text.as_str());
                script(&script(&base, "_", sub), "^", sup)
            })
        };
        let after = pairs(base.clone(), after);
        match pairs(Part::default(), before).text {
            before if before.is_empty() => after,
            before => Part::new(format!("{before} {}", after.text), Shape::Script),
        }
    }

    /// An operator or function of content markup with its arguments.
    fn applied(&self) -> Part {
        let none = Part::default();
        let part = |at: usize| self.parts.get(at).unwrap_or(&none);
        let Some(operator) = self.operator.as_deref() else {
            // The first child is a name.
            let Some((name, arguments)) = self.parts.split_first() else { return none };
            let text = format!("{}({})", name.text, joined(arguments, ", "));
            return Part::new(text, Shape::Closed);
        };
        let infix = match operator {
            "plus" => "+",
            "minus" => "−",
            "times" => "·",
            "eq" => "=",
            "neq" => "≠",
            "lt" => "<",
            "gt" => ">",
            "leq" => "≤",
            "geq" => "≥",
            "approx" => "≈",
            "equivalent" => "≡",
            "tendsto" => "→",
            "implies" => "⇒",
            "and" => "∧",
            "or" => "∨",
            "in" => "∈",
            "subset" => "⊂",
            "union" => "∪",
            "intersect" => "∩",
            _ => "",
        };
        match (operator, self.parts.len()) {
            ("divide", 2) => fraction(part(0), part(1)),
            ("power", 2) => script(part(0), "^", &part(1).text),
            ("root", 1) => Part::new(format!("√({})", part(0).text), Shape::Closed),
            ("minus", 1) => Part::new(format!("−{}", part(0).factor()), Shape::Row),
            ("times", 2..) => {
                let factors: Vec<_> = self.parts.iter().map(Part::factor).collect();
                Part::new(factors.join(infix), Shape::Row)
            }
            (_, 2..) if !infix.is_empty() => Part::new(joined(&self.parts, infix), Shape::Row),
            _ => Part::new(format!("{operator}({})", joined(&self.parts, ", ")), Shape::Closed),
        }
    }
}

impl Part {
    fn new(text: String, shape: Shape) -> Self {
        Self { text, shape }
    }

    /// Whether one pair of brackets is around all of it.
    fn is_closed(&self) -> bool {
        let text = self.text.trim();
        text.starts_with('(') && text.ends_with(')') && text.matches('(').count() == 1
    }

    /// The part in brackets.
    fn in_brackets(&self) -> String {
        match self.text.trim() {
            text if self.is_closed() => text.to_owned(),
            text => format!("({text})"),
        }
    }

    /// The part of a product: a sum is in brackets.
    fn factor(&self) -> String {
        match self.text.contains(SIGNS) && self.shape == Shape::Row {
            true => self.in_brackets(),
            false => self.text.trim().to_owned(),
        }
    }

    /// The part as numerator, or as a factor beside a stroke.
    fn numerator(&self) -> String {
        match self.text.trim() {
            text if text.chars().all(char::is_alphanumeric) => text.to_owned(),
            text if matches!(self.shape, Shape::Token | Shape::Closed) => text.to_owned(),
            _ => self.in_brackets(),
        }
    }

    /// The part as denominator: `a/bc` is (a/b)·c to many.
    fn denominator(&self) -> String {
        if self.shape == Shape::Row { self.in_brackets() } else { self.numerator() }
    }

    /// The part with a mark above each of its letters.
    fn with_mark(&self, mark: char) -> Self {
        let marked = |c: char| [Some(c), Some(mark).filter(|_| c.is_alphanumeric())];
        let text = self.text.trim().chars().flat_map(marked).flatten().collect();
        Self { text, shape: self.shape }
    }
}

/// Signs between the parts of a sum or quotient.
const SIGNS: [char; 6] = ['+', '-', '−', '·', '/', ' '];

/// Whether a length is zero, in any unit.
fn is_zero(length: &str) -> bool {
    let number = length.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    number.parse::<f32>().is_ok_and(|number| number == 0.0)
}

/// The sign of an element that places its second child above or below the first.
fn sign(element: &str) -> &'static str {
    if element.ends_with("sup") || element.ends_with("over") { "^" } else { "_" }
}

/// The combining character for a sign above a letter.
fn accent(text: &str) -> Option<char> {
    match text.trim() {
        "^" | "ˆ" | "\u{302}" => Some('\u{302}'),
        "~" | "˜" | "∼" | "\u{303}" => Some('\u{303}'),
        "¯" | "‾" | "―" | "_" | "-" | "−" | "\u{304}" | "\u{305}" => Some('\u{305}'),
        "→" | "⃗" => Some('\u{20d7}'),
        "˙" | "." | "\u{307}" => Some('\u{307}'),
        "¨" | ".." | "\u{308}" => Some('\u{308}'),
        _ => None,
    }
}

fn joined(parts: &[Part], separator: &str) -> String {
    parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(separator)
}

fn fraction(above: &Part, below: &Part) -> Part {
    Part::new(format!("{}/{}", above.numerator(), below.denominator()), Shape::Fraction)
}

/// A base with an exponent or index.
fn script(base: &Part, sign: &str, text: &str) -> Part {
    let text = text.trim();
    if text.is_empty() {
        return base.clone();
    }
    let whole = base.text.trim();
    // Degrees and derivatives.
    if sign == "^" && text.chars().all(|c| "°′″‴'*†".contains(c)) {
        return Part::new(format!("{whole}{text}"), base.shape);
    }
    if sign == "^" && matches!(text, "∘" | "o" if whole.ends_with(|c: char| c.is_ascii_digit())) {
        return Part::new(format!("{whole}°"), base.shape);
    }
    let several = match base.shape {
        Shape::Token => whole.chars().count() > 1 && whole.contains(SIGNS),
        Shape::Row => true,
        Shape::Fraction => true,
        Shape::Script => sign == "^" && whole.contains('^'),
        Shape::Closed => false,
    };
    let whole = if several { base.in_brackets() } else { whole.to_owned() };
    let one = text.chars().count() == 1 || text.chars().all(|c| c.is_ascii_digit());
    let text = match one || Part::new(text.to_owned(), Shape::Row).is_closed() {
        true => text.to_owned(),
        false => format!("({text})"),
    };
    Part::new(format!("{whole}{sign}{text}"), Shape::Script)
}

/// The parts of a row. A space separates what would be read as one name, number, exponent or fraction.
fn row(parts: &[Part]) -> Part {
    let (mut line, mut number, mut last) = (String::new(), 0, Part::default());
    // Whether an invisible operator is between the last part and the next.
    let mut has_operator = false;
    let is_word =
        |part: &Part| part.text.chars().count() > 1 && part.text.chars().all(char::is_alphabetic);
    for part in parts {
        let visible = |c: &char| !('\u{2061}'..='\u{2064}').contains(c);
        let text: String = part.text.chars().filter(visible).collect();
        if text.is_empty() {
            has_operator |= !part.text.is_empty();
            continue;
        }
        let part = Part::new(text, part.shape);
        let digits = has_operator
            && last.text.ends_with(|c: char| c.is_ascii_digit())
            && part.text.starts_with(|c: char| c.is_ascii_digit());
        let ambiguous = digits
            || is_word(&last)
            || is_word(&part)
            || matches!(last.shape, Shape::Fraction | Shape::Script)
            || part.shape == Shape::Fraction;
        if ambiguous
            && last.text.ends_with(char::is_alphanumeric)
            && part.text.starts_with(char::is_alphanumeric)
        {
            line.push(' ');
        }
        line.push_str(&part.text);
        has_operator = false;
        number += usize::from(!part.text.trim().is_empty());
        last = part;
    }
    Part::new(line, if number == 1 { last.shape } else { Shape::Row })
}
