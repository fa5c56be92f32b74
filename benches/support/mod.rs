//! Texts for benches, the same in each run.

/// A generator that gives the same numbers each time (an LCG, Knuth's constants).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// The next number, below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// A word; few words are common and most are rare, as in a language.
    pub(crate) fn word(&mut self) -> String {
        let rank = self.below(60_000) * self.below(60_000) / 60_000 * self.below(60_000) / 60_000;
        format!("{}{}", ["ta", "mo", "ri", "sel", "vund"][rank % 5], rank)
    }

    /// A text in paragraphs, of at least `shortest` words and fewer than `spread` more.
    pub(crate) fn html(&mut self, shortest: usize, spread: usize) -> String {
        let length = shortest + self.below(spread);
        let mut html = String::from("<p>");
        for n in 0..length {
            html.push_str(&self.word());
            html.push_str(if n % 40 == 39 { ".</p><p>" } else { " " });
        }
        html + "</p>"
    }
}
