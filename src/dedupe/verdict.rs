//! Whether two items of different feeds are one story: a list of rules, of which the first that applies decides.
//!
//! A function of the two items, the settings and the weights alone. `index` and the store decide which items are
//! compared. `frames` may refuse what is found here, and `grouping` makes stories of verdicts.

use std::collections::HashSet;

use jiff::SignedDuration;

use super::fingerprint::{Comparable, Fingerprint, PageKind};
use super::headlines::{headline_support, is_spelled, may_be_repeated, renames};
use super::lexicon::is_of_status_pages;
use super::likeness::{
    Likeness, Weights, likeness, shared_beginning, shared_names, shared_opening, shared_words,
    slots,
};
use super::settings::{AcrossFeeds, Settings, Similarity};
use super::titles::Title;
use super::tuning::{
    CHARACTER, COMMON, CUT, EQUAL, EXACT_WORDS, EXCERPT, FORM_TEXT, FORM_WORDS, HEADLINE_CHARS,
    HEADLINE_HOURS, HEADLINE_RARITY, HEADLINE_SUPPORT, HEADLINE_WORDS, LEAD_WORDS, LEAST_NAMES,
    LEAST_NEED, LEAST_SHARED, LETTERS, NAME_WORDS, NAMES, NEAR_WORDS, NEED, NEED_OF_EXCERPT,
    NEED_WITH_LEAD, NEED_WITH_TITLE, ONE_SLOT, OPENING, OPENING_SUPPORT, PAGE_SUPPORT, SAID,
    SAME_LEAD, SAME_OPENING, SHORT_WORDS, SLOTS, TEASER_WORDS, TITLE_ALIKE, TITLE_CHARS,
    TITLE_SUPPORT, TITLE_WORDS, VARIANT_WORDS, WITHOUT_LEAD, WORDS_PER_PLACE, WORTH,
};
use super::words::{Kind, Word};
use crate::model::{Match, PageOwner, Rule};

/// The result of a comparison of two items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The rule that decided.
    pub rule: Rule,
    /// The measured score, 0 to 1.
    pub score: f32,
    /// The required score, 0 to 1.
    pub threshold: f32,
    /// Whether they are one story.
    pub same: bool,
}

impl Verdict {
    /// Whether no frame can refuse it: the same page or the same id.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        matches!(self.rule, Rule::SamePage | Rule::SameId)
    }

    /// The match of two rows.
    #[must_use]
    pub fn between(self, item: crate::model::ItemKey, other: crate::model::ItemKey) -> Match {
        let Self { rule, score, threshold, same } = self;
        Match { item, other, rule, score, threshold, same }
    }
}

/// The verdict on two items that were one story and have nothing in common any more.
#[must_use]
pub fn unlike() -> Verdict {
    Verdict { rule: Rule::SimilarText, score: 0.0, threshold: NEED[NEED.len() - 1].1, same: false }
}

/// Whether two items that were one story by the rule `before` stay one after an edit of `edited`. `verdict` is that on
/// them now. A notice in the place of a text, a text that was written anew under its headline, or a new headline of an
/// article to which a post points, makes no other story. A whole text with another headline and other words does.
#[must_use]
pub fn is_still_one(
    edited: &Comparable,
    other: &Comparable,
    before: Rule,
    verdict: Option<&Verdict>,
) -> bool {
    let rule = verdict.map(|verdict| verdict.rule);
    if matches!(rule, Some(Rule::Series | Rule::Template | Rule::SameSite)) {
        return false;
    }
    // An untitled item has the title of another one only if it is a post that points to it.
    let points =
        before == Rule::SameTitle && other.fingerprint.title.is_empty() && other.size < NEAR_WORDS;
    edited.size < SHORT_WORDS
        || points && !edited.fingerprint.title.is_empty()
        || edited.fingerprint.title.alike(&other.fingerprint.title) >= SAME_HEADLINE
        || likeness(edited, other).containment >= TITLE_SUPPORT
}

/// Headlines as like as this are about one thing.
const SAME_HEADLINE: f32 = 0.5;

/// Compares two items. Returns `None` if they have nothing in common that is worth remembering.
#[must_use]
pub fn verdict(
    a: &Comparable,
    b: &Comparable,
    settings: &Settings,
    weights: &Weights,
) -> Option<Verdict> {
    let apart = |rule, score| Some(Verdict { rule, score, threshold: SLOTS, same: false });
    if settings.across_feeds == AcrossFeeds::Off {
        return None;
    }
    let title = a.fingerprint.title.alike(&b.fingerprint.title);
    let pair = Pair { a, b, like: likeness(a, b), title, settings };
    let page = pair.page();
    if page.is_some_and(|page| page.same) || settings.across_feeds == AcrossFeeds::Link {
        return page;
    }
    if !pair.is_within() {
        return page;
    }
    if let Some(filed) = pair.filed() {
        return Some(filed);
    }
    let text = pair.exact().or_else(|| pair.near(weights));
    // Texts that share little may be teasers under one headline.
    let near = match text {
        Some(found) if found.same || !pair.is_headline(weights) => Some(found),
        _ => pair.titled(weights).filter(|found| found.same || text.is_none()).or(text),
    };
    let Some(found) = near.filter(|found| found.same) else { return page.or(near) };
    // v1.2.3 is not v1.2.4, part 1 is not part 2, today's weather is not yesterday's.
    let whole = found.rule == Rule::SameText && pair.is_one_long_text();
    let series = pair.is_sibling().then_some(Rule::Series);
    if let Some(rule) = series.or_else(|| pair.variant().filter(|_| !whole)) {
        return apart(rule, found.score);
    }
    if pair.is_about_neither(weights) {
        return apart(Rule::OtherTitle, found.score);
    }
    if pair.are_other_episodes() || pair.are_other_incidents() {
        return apart(Rule::Template, found.score);
    }
    // A site separates its own things, and puts the same frame around all of them. It shows one text twice
    // where two of its lists carry it.
    let whole = whole || found.rule == Rule::SameText && pair.has_long_title();
    if !whole && pair.is_of_one_site() {
        return apart(Rule::SameSite, found.score);
    }
    if found.rule != Rule::SameText {
        if let Some(share) = pair.form() {
            return apart(Rule::Template, share);
        }
        if pair.is_nameless_form() {
            return apart(Rule::Template, 1.0 - pair.like.containment);
        }
    }
    Some(found)
}

struct Pair<'a> {
    a: &'a Comparable,
    b: &'a Comparable,
    like: Likeness,
    title: f32,
    settings: &'a Settings,
}

impl Pair<'_> {
    /// One page, or one id: proof where nothing speaks against it.
    fn page(&self) -> Option<Verdict> {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        if self.has_other_id() {
            // An item with the same id fits better.
            let score = 0.9 + self.like.containment / 10.0;
            let found = Verdict { rule: Rule::SamePage, score, threshold: TITLE_ALIKE, same: true };
            return self.is_one_post().then_some(found);
        }
        let same_page = self.is_on_one_page();
        let same_id = a.global_id.is_some() && a.global_id == b.global_id;
        let rule = match (same_page, same_id) {
            (true, _) => Rule::SamePage,
            (_, true) => Rule::SameId,
            _ => return None,
        };
        let at_home = a.page_owner == b.page_owner && a.page_owner != PageOwner::OtherSite;
        let alike = self.is_alike();
        // Items that link to a page of another site may differ, and ids may be copied.
        let own_page = at_home && same_page && !self.is_section();
        let same = own_page || alike && !self.is_form() || self.is_silent();
        let score = self.title.max(self.like.containment);
        Some(Verdict { rule, score: if same { 1.0 } else { score }, threshold: TITLE_ALIKE, same })
    }

    /// Whether their titles, or else their texts, may be those of one page.
    fn is_alike(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        // Both link to a page of a third site, each with own words.
        let abroad = a.page_owner == PageOwner::OtherSite && b.page_owner == PageOwner::OtherSite;
        let silent = self.like.shorter < if abroad { EXACT_WORDS } else { SHORT_WORDS };
        self.title >= TITLE_ALIKE && (silent || self.like.containment >= TITLE_SUPPORT)
            || self.like.containment >= PAGE_SUPPORT && self.like.shorter >= EXACT_WORDS
    }

    fn is_on_one_page(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        a.url_key.is_some() && a.url_key == b.url_key
    }

    /// Whether two feeds of a site show one post of this page and date under ids of their own. The posts of a topic, the
    /// notices of a status page and those of a section share their page, but not the second.
    fn is_one_post(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let named = self.has_long_title() || self.like.containment >= TITLE_SUPPORT;
        let contradict = a.title.contradicts(&b.title) || self.is_form() || self.is_nameless_form();
        self.is_on_one_page()
            && a.page_kind == PageKind::Item
            && self.is_of_one_second()
            && self.is_alike()
            && named
            && !contradict
    }

    /// Whether they were published in the same second. A date without a time proves nothing, and neither does one from
    /// the future, in whose place is the time of the poll.
    fn is_of_one_second(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let second = |item: &Fingerprint| {
            let at = item.published.filter(|at| *at < item.seen)?.as_second();
            (at % (24 * 3_600) != 0).then_some(at)
        };
        second(a).is_some() && second(a) == second(b)
    }

    /// Whether the page may be a section of a site: nothing else identifies the items, and they have nothing in common.
    fn is_section(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let sectional =
            |item: &Fingerprint| item.guid.is_none() && item.page_kind == PageKind::Section;
        sectional(a)
            && sectional(b)
            && self.like.shorter >= EXACT_WORDS
            && self.like.containment < TITLE_SUPPORT
            && a.title.contradicts(&b.title)
            && a.title.alike(&b.title) < SAME_HEADLINE
    }

    /// Whether they were published, or where that is not known of both came, within the window.
    fn is_within(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let window = SignedDuration::try_from(self.settings.window).unwrap_or(SignedDuration::MAX);
        let between = match (a.published, b.published) {
            (Some(a), Some(b)) => a.duration_since(b),
            _ => a.seen.duration_since(b.seen),
        };
        between.abs() <= window
    }

    /// Whether feeds of one publisher give different ids for the same address, which then may be only the page where
    /// both are shown.
    fn has_other_id(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let own = a.page_owner != PageOwner::OtherSite && b.page_owner != PageOwner::OtherSite;
        own && a.url == b.url && a.guid.is_some() && b.guid.is_some() && a.guid != b.guid
    }

    /// Whether they are two whole texts of one site, and not of one page and second. A site may also publish an excerpt of
    /// its text.
    fn is_of_one_site(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let excerpt = self.like.longer as f32 >= EXCERPT * self.like.shorter as f32;
        let one_post = self.is_on_one_page() && self.is_of_one_second();
        a.site.is_some() && a.site == b.site && !excerpt && !one_post
    }

    /// Whether one of them has no title and no text, or both have no more than a title.
    fn is_silent(&self) -> bool {
        let silent =
            |item: &Comparable| item.fingerprint.title.is_empty() && item.words.0.is_empty();
        let titled = |item: &Comparable| item.size < EXACT_WORDS;
        silent(self.a) || silent(self.b) || titled(self.a) && titled(self.b)
    }

    /// One file under one title and second: an episode, or a picture without a text, on two hosts.
    fn filed(&self) -> Option<Verdict> {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let titled = !a.title.is_empty() && a.title.digest() == b.title.digest();
        let same = a.file.is_some() && a.file == b.file && self.is_of_one_second() && titled;
        same.then_some(Verdict { rule: Rule::SameTitle, score: 1.0, threshold: 1.0, same: true })
    }

    /// Whether both have an audio or video file of their own under a short text, which may be what a network writes below
    /// all its episodes. On two hosts, one episode has the same date.
    fn are_other_episodes(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        // Of an item without a text it may be the file of a picture.
        let played = !self.a.words.0.is_empty() && !self.b.words.0.is_empty();
        let differ = a.file.is_some() && b.file.is_some() && a.file != b.file;
        played && differ && !self.is_of_one_second() && self.like.longer < SHORT_WORDS
    }

    /// Whether nothing but the titles may say what broke: the texts are the standard sentences of a status page. A page
    /// and the planet that has it give an incident one date.
    fn are_other_incidents(&self) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let one_entry = self.is_of_one_second() && a.title.digest() == b.title.digest();
        !one_entry && is_of_status_pages(&self.a.words.0) && is_of_status_pages(&self.b.words.0)
    }

    /// The same words in the same order.
    fn exact(&self) -> Option<Verdict> {
        let same = self.a.size >= EXACT_WORDS && self.a.has_words_of(self.b);
        same.then_some(Verdict { rule: Rule::SameText, score: 1.0, threshold: 1.0, same: true })
    }

    /// The same words in the same order, of a text that is no form.
    fn is_one_long_text(&self) -> bool {
        self.like.shorter >= SHORT_WORDS && self.a.has_words_of(self.b)
    }

    /// Most of the shorter text is in the longer one.
    fn near(&self, weights: &Weights) -> Option<Verdict> {
        let Likeness { jaccard, containment, shorter, longer, .. } = self.like;
        if shorter < NEAR_WORDS {
            return None;
        }
        let (a, b) = (self.a, self.b);
        let need = need(shorter);
        // Most candidates share a phrase and no more: nothing below could make them one story.
        let least = if self.is_of_characters() { NEED_WITH_TITLE / 2.0 } else { LEAST_NEED };
        if jaccard < WORTH && containment < self.settings.need(need * least) {
            return None;
        }
        let excerpt = longer as f32 >= EXCERPT * shorter as f32;
        let long = shorter >= LEAD_WORDS;
        let agreement = match excerpt {
            true => self.said(weights),
            false => shared_opening(&a.words, &b.words, weights),
        };
        let mut part = self.part_of_need(agreement, excerpt);
        if a.fingerprint.title.says_the_same(&b.fingerprint.title) && (excerpt || long) {
            part = part.min(NEED_WITH_TITLE);
        } else if excerpt {
            part = part.min(NEED_OF_EXCERPT);
        } else if long && shared_beginning(a, b, weights) >= SAME_LEAD {
            part = part.min(NEED_WITH_LEAD);
        }
        let need = self.settings.need(need * part);
        let led = excerpt || containment >= WITHOUT_LEAD || agreement >= OPENING_SUPPORT;
        let same = containment >= need && led;
        let worth = same || jaccard >= WORTH || containment >= need / 2.0;
        worth.then_some(Verdict {
            rule: Rule::SimilarText,
            score: containment,
            threshold: need,
            same,
        })
    }

    /// The part of the need that is left where `agreement` of the beginnings of two texts is the same, or of all of
    /// an excerpt. Two reports that begin alike and share sentences are one, however much of the rest was rewritten;
    /// texts that share a quotation or what happened before begin otherwise.
    fn part_of_need(&self, agreement: f32, excerpt: bool) -> f32 {
        let shared = self.like.containment * self.a.weight.min(self.b.weight);
        // Two short texts may be one form, or nothing but what two sites put under everything.
        let short = self.like.longer < VARIANT_WORDS;
        if shared < LEAST_SHARED || short || self.is_of_characters() {
            return 1.0;
        }
        let (from, to) = if excerpt { SAID } else { (OPENING_SUPPORT, SAME_OPENING) };
        1.0 - (1.0 - LEAST_NEED) * ((agreement - from) / (to - from)).clamp(0.0, 1.0)
    }

    /// Whether one of them is written in a script without spaces, whose characters are so few that all texts share many.
    fn is_of_characters(&self) -> bool {
        self.a.is_of_characters() || self.b.is_of_characters()
    }

    /// The part of the words of the shorter text that the longer one has: of its first words or of all, whichever is
    /// smaller. A report that only repeats a paragraph of background begins with other words.
    fn said(&self, weights: &Weights) -> f32 {
        let (a, b) = (self.a, self.b);
        let (shorter, longer) = if a.size <= b.size { (a, b) } else { (b, a) };
        let said = |words: usize| {
            shared_words(shorter.words.0.iter().take(words), longer.words.0.iter(), weights)
        };
        said(OPENING).min(said(usize::MAX))
    }

    /// Whether both have the same long title.
    fn has_long_title(&self) -> bool {
        let (a, b) = (&self.a.fingerprint.title, &self.b.fingerprint.title);
        a.len() >= TITLE_WORDS && a.width() >= TITLE_CHARS && a.digest() == b.digest()
    }

    /// The same long title, and the texts or the site do not speak against it.
    fn titled(&self, weights: &Weights) -> Option<Verdict> {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        if !self.has_long_title() {
            return None;
        }
        let wordless = self.like.shorter < EXACT_WORDS;
        let one_site = a.site.is_some() && a.site == b.site;
        let score = self.like.containment;
        // An aggregator's entry is a title and where it leads.
        let points = |from: &Fingerprint, to: &Fingerprint| {
            to.url_key.is_some_and(|page| from.mentions.contains(&page))
        };
        let points = points(a, b) || points(b, a);
        let same = score >= TITLE_SUPPORT
            || wordless && (one_site || points)
            || self.is_headline(weights) && !one_site;
        Some(Verdict { rule: Rule::SameTitle, score, threshold: TITLE_SUPPORT, same })
    }

    /// A long and rare headline over two items that are no more than it, or over two teasers, within hours.
    fn is_headline(&self, weights: &Weights) -> bool {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let (Some(x), Some(y)) = (a.published, b.published) else { return false };
        let long = a.title.len() >= HEADLINE_WORDS && a.title.width() >= HEADLINE_CHARS;
        let near = x.duration_since(y).abs() <= SignedDuration::from_hours(HEADLINE_HOURS);
        let numbers = |item: &Comparable| -> HashSet<u32> {
            item.words
                .0
                .iter()
                .filter(|word| word.kind == Kind::Number)
                .map(|word| word.hash)
                .collect()
        };
        let (left, right) = (numbers(self.a), numbers(self.b));
        let contradict = !left.is_empty() && !right.is_empty() && left.is_disjoint(&right);
        long && near
            && is_rare(&a.title, weights)
            && self.like.longer <= TEASER_WORDS
            && !contradict
            && self.settings.similarity != Similarity::Strict
    }

    /// Two of a series by their titles, unless one headline left out or rounded a number that both texts have.
    fn is_sibling(&self) -> bool {
        let (a, b) = (self.a, self.b);
        let (title, other) = (&a.fingerprint.title, &b.fingerprint.title);
        if title.is_lettered(other) && !self.is_one_long_text() {
            return true;
        }
        if !title.is_sibling(other) {
            return false;
        }
        // All parts of a series may have one text that names a number: "in this two-part series".
        if title.renumbers(other) {
            return true;
        }
        let words: [HashSet<u32>; 2] =
            [a, b].map(|text| text.words.0.iter().map(|word| word.hash).collect());
        let has = |text: usize, numbers: &HashSet<u32>| {
            !numbers.is_empty() && numbers.is_subset(&words[text])
        };
        let (mine, others) = (title.numbers(), other.numbers());
        let own: HashSet<u32> = mine.difference(&others).copied().collect();
        let theirs: HashSet<u32> = others.difference(&mine).copied().collect();
        // Both texts have the numbers of one headline.
        let shared = has(0, &own) && has(1, &own) || has(0, &theirs) && has(1, &theirs);
        !(shared && self.like.containment >= EQUAL)
    }

    /// Titles of one frame with other words in it: over short texts, and where each text has the words
    /// of its own title and not those of the other. Over short texts the second is enough.
    fn variant(&self) -> Option<Rule> {
        let (a, b) = (self.a, self.b);
        let (title, other) = (&a.fingerprint.title, &b.fingerprint.title);
        let excerpt = self.like.longer as f32 >= EXCERPT * self.like.shorter as f32;
        let short = self.like.shorter < VARIANT_WORDS;
        if excerpt {
            return None;
        }
        // In a long text a name may be spelled as each paper does.
        let spelled =
            || self.like.shorter < LETTERS * VARIANT_WORDS && is_spelled(a) && is_spelled(b);
        if short && title.is_successor(other) || (short || spelled()) && renames(a, b) {
            return Some(Rule::Series);
        }
        let words = |item: &Comparable| item.words.0.iter().map(|w| w.hash).collect::<HashSet<_>>();
        let (left, right) = (words(a), words(b));
        let true_words = |own: &HashSet<u32>, text: &HashSet<u32>, other: &HashSet<u32>| {
            own.iter().filter(|word| text.contains(word) && !other.contains(word)).count()
        };
        let (mine, others) = (title.own(other), other.own(title));
        let (one, two) = (true_words(&mine, &left, &right), true_words(&others, &right, &left));
        if !title.is_variant(other) {
            // Headlines of one story in other words are about words that both texts have.
            // Equal texts too, for a form has them.
            let like = short || self.like.containment >= FORM_TEXT;
            let apart = one.min(two) >= 2 && 2 * one >= mine.len() && 2 * two >= others.len();
            return (like && apart).then_some(Rule::OtherTitle);
        }
        let alike = self.like.jaccard >= EQUAL || self.like.containment >= CUT;
        let equal = alike && self.form().is_none() && !self.names_things();
        (short && !equal || one > 0 && two > 0).then_some(Rule::Series)
    }

    /// Whether both titles are names and not sentences, and the texts differ at a place: tomato soup is not carrot soup,
    /// although their recipes are.
    fn names_things(&self) -> bool {
        let is_name = |item: &Comparable| item.fingerprint.title.len() < HEADLINE_WORDS;
        is_name(self.a)
            && is_name(self.b)
            && slots(&self.a.words.0, &self.b.words.0, None).places > 0
    }

    /// Whether the same title is so short that it names nothing particular, such as "Scheduled maintenance", and a short
    /// text below it has other words at a place. Who edits a copy replaces single words.
    fn is_nameless_form(&self) -> bool {
        let (title, other) = (&self.a.fingerprint.title, &self.b.fingerprint.title);
        let nameless = !title.is_empty() && title.len() < NAME_WORDS && title.width() < TITLE_CHARS;
        if !nameless || title.digest() != other.digest() || self.like.longer >= VARIANT_WORDS {
            return false;
        }
        let laid = slots(&self.a.words.0, &self.b.words.0, None);
        laid.places > 0 && laid.lost >= 2 * laid.places
    }

    /// Whether the headlines differ and what the texts share is about neither.
    fn is_about_neither(&self, weights: &Weights) -> bool {
        let (a, b) = (self.a, self.b);
        may_be_repeated(a, b, &self.like, weights)
            && headline_support(a, b, weights) < self.settings.need(HEADLINE_SUPPORT)
    }

    /// Whether one form was filled in twice; texts that share little have no form.
    fn is_form(&self) -> bool {
        self.like.containment >= TITLE_SUPPORT && self.form().is_some()
    }

    /// The part of the places that differ, if it is so large that one form was filled in twice.
    fn form(&self) -> Option<f32> {
        let (a, b) = (&self.a.fingerprint, &self.b.fingerprint);
        let slots = slots(&self.a.words.0, &self.b.words.0, a.published.or(b.published));
        let words = slots.kept.saturating_sub(FORM_WORDS) as f32 * self.like.rarity;
        let share = slots.share(words / WORDS_PER_PLACE);
        let limit = match slots.differ {
            0 => return None,
            1 => ONE_SLOT,
            _ => SLOTS,
        };
        let refused = share > limit * self.settings.tolerance();
        (refused && !self.has_same_names()).then_some(share)
    }

    /// Whether the shorter text has enough names and numbers, and most of them are in the other text at any place: an
    /// edited copy, with other words around them. Numbers alone may be those of a form.
    fn has_same_names(&self) -> bool {
        let names = shared_names(self.a, self.b, |_| true);
        names.all >= NAMES && names.shared_names >= LEAST_NAMES && names.most_are_shared()
    }
}

/// Whether the words of a headline are so rare together that two authors do not write it.
pub(super) fn is_rare(title: &Title, weights: &Weights) -> bool {
    let rare = |word: &Word| match word.kind {
        Kind::Number => 1.0 - COMMON,
        // Single characters are common, but rarely this many in this order.
        _ if word.is_character() => CHARACTER,
        _ => (weights.of(word) - COMMON).max(0.0),
    };
    title.words().iter().map(rare).sum::<f32>() >= HEADLINE_RARITY
}

/// The share of a text of this many words that must be in the other.
fn need(words: usize) -> f32 {
    let (mut low, mut high) = (NEED[0], NEED[NEED.len() - 1]);
    if words <= low.0 {
        return low.1;
    }
    for pair in NEED.windows(2) {
        if (pair[0].0..=pair[1].0).contains(&words) {
            (low, high) = (pair[0], pair[1]);
        }
    }
    if words >= high.0 {
        return high.1;
    }
    let way = (words - low.0) as f32 / (high.0 - low.0) as f32;
    low.1 + (high.1 - low.1) * way
}

#[cfg(test)]
mod tests;
