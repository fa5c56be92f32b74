//! Every constant that decides whether two items are one story, in one place, with its reason.
//!
//! They were set on the labelled pairs in `tests/fixtures/sameness` and are held there by a test.
//! What an operator may change is in [`super::settings`].

/// Words in a shingle. One length for all, or an excerpt and its full text would have none in common.
pub(super) const SHINGLE: usize = 3;
/// Words that are read of one text: the rest of a book decides nothing.
pub(super) const MAX_WORDS: usize = 2_000;

/// Bands of the signature, and rows in each: two texts that share the part `J` of their shingles meet
/// in a band with the chance `1-(1-J^3)^16`: 0.3 → 0.36, 0.4 → 0.65, 0.5 → 0.88, 0.6 → 0.98.
pub(super) const BANDS: usize = 16;
pub(super) const ROWS: usize = 3;
/// Beside the bands, for texts of which one holds the other: one in `DENSE` shingles of the beginning,
/// one in `SPARSE` of the rest (Broder 1997, the sketch "mod m").
pub(super) const DENSE: u64 = 4;
pub(super) const SPARSE: u64 = 32;
/// Number of shingles that count as the beginning of a text.
pub(super) const BEGINNING: usize = 64;
/// Maximum number of these keys.
pub(super) const MAX_SAMPLES: usize = 40;

/// Fewer words than this are not a proof, even when all are the same: greetings are alike.
pub const EXACT_WORDS: usize = 9;
/// Below this the parts of a text prove nothing; only the whole does.
pub(super) const NEAR_WORDS: usize = 18;
/// Two authors seldom write the same title of this many words and characters.
pub(super) const TITLE_WORDS: usize = 5;
pub(super) const TITLE_CHARS: usize = 25;
/// A title of fewer words may be that of many things: "Scheduled maintenance".
pub(super) const NAME_WORDS: usize = 3;
/// Titles as like as this are one title with a site's name or a comma more.
pub(super) const TITLE_ALIKE: f32 = 0.8;
/// Part of a title's words, in their order, that makes the frame of a series, 0 to 1.
pub(super) const FRAME: f32 = 0.6;
/// In texts shorter than this, titles of one frame with other words in it are two things.
pub(super) const VARIANT_WORDS: usize = 85;
/// Letters of Thai that are as much as one Chinese character.
pub(super) const LETTERS: usize = 3;
/// What texts with the same title must share.
pub(super) const TITLE_SUPPORT: f32 = 0.3;
/// What the shorter text must share where both items have one page.
pub(super) const PAGE_SUPPORT: f32 = 0.5;
/// A short text needs no support where page and title agree.
pub(super) const SHORT_WORDS: usize = 48;

/// The share of the shorter text that must be in the longer one, by words of the shorter:
/// between these points it is drawn straight, beyond them it stays. Short texts are filled-in forms
/// more often than long ones.
pub(super) const NEED: &[(usize, f32)] =
    &[(18, 0.90), (30, 0.84), (60, 0.72), (85, 0.60), (110, 0.55), (150, 0.50), (250, 0.44)];
/// Factor of the required share of words for two texts with the same title.
pub(super) const NEED_WITH_TITLE: f32 = 0.75;
/// So does a text that is this many times as long: an excerpt. A form is not an excerpt of another form.
pub(super) const EXCERPT: f32 = 2.0;
pub(super) const NEED_OF_EXCERPT: f32 = 0.8;
/// And so does the same beginning, in texts of this many words: papers cut from the end.
pub(super) const SAME_LEAD: f32 = 0.7;
pub(super) const LEAD_WORDS: usize = 60;
pub(super) const NEED_WITH_LEAD: f32 = 0.75;
/// No more than this is needed where the texts begin alike, see [`SAME_OPENING`], or an excerpt says what the text
/// says, see [`SAID`],
pub(super) const LEAST_NEED: f32 = 0.2;
/// and the weights of all shingles that they share add up to this.
pub(super) const LEAST_SHARED: f32 = 4.0;
/// Texts that share at least this part of all that they say are remembered as compared, also where
/// they are not one story.
pub(super) const WORTH: f32 = 0.2;
/// This part of a text is its beginning, but no more than [`LONGEST_LEAD`] words.
pub(super) const LEAD: f32 = 0.4;
pub(super) const LONGEST_LEAD: usize = 60;
/// Of the first words of a text, this part must be among the first of the other, in any order.
/// Otherwise they share a quotation, or the paragraph that a firm or an agency puts under everything.
pub(super) const OPENING_SUPPORT: f32 = 0.34;
/// Texts begin alike from this part on.
pub(super) const SAME_OPENING: f32 = 0.44;
/// An excerpt may be one of the text from the first part of its words on that are in the text, and is from the second.
pub(super) const SAID: (f32, f32) = (0.42, 0.54);
pub(super) const OPENING: usize = 30;
pub(super) const OPENING_OF_OTHER: usize = 60;
/// Unless they share this much of the whole.
pub(super) const WITHOUT_LEAD: f32 = 0.85;

/// Two forms were filled in, not one text edited, where more than this part of the places compared differs. Places are
/// numbers, dates and names; at one place it takes more.
pub(super) const SLOTS: f32 = 0.12;
pub(super) const ONE_SLOT: f32 = 0.24;
/// Other shared words speak for an edit as well: this many rare words as much as one place, without the first
/// [`FORM_WORDS`], which a form has too.
pub(super) const WORDS_PER_PLACE: f32 = 9.0;
pub(super) const FORM_WORDS: usize = 40;
/// No form was filled in where the shorter text has at least this many names and numbers, [`SHARED_NAMES`] of them are in
/// the other text, and at least [`LEAST_NAMES`] of these are names.
pub(super) const NAMES: usize = 6;
pub(super) const LEAST_NAMES: usize = 3;
pub(super) const SHARED_NAMES: f32 = 0.6;
/// What sites repeat is about no headline: less than this part of the words in which two headlines differ is in both
/// texts.
pub(super) const HEADLINE_SUPPORT: f32 = 0.25;
/// What a word of at most two letters counts at least among these.
pub(super) const SHORT_WORD: f32 = 0.05;
/// Headlines and passages of which less than this part is the same share nothing.
pub(super) const SHARED_BY_CHANCE: f32 = 0.25;
/// This many words in a row are one passage of both texts. An own passage has at least [`OWN_PASSAGE`] words, what else
/// differs at most [`OTHER_PASSAGE`].
pub(super) const SAME_PASSAGE: usize = 8;
pub(super) const OWN_PASSAGE: usize = 5;
pub(super) const OTHER_PASSAGE: usize = 15;
/// Texts that share this much, under headlines about words that only the own text has, are one form.
pub(super) const FORM_TEXT: f32 = 0.65;
/// An item of which this much is one text is a copy of that text, and no collection.
pub(super) const MOST: f32 = 0.6;
/// An item of which less than this much is missing is wholly in another.
pub(super) const CONTAINED: f32 = 0.8;
/// Two texts in one item have nothing in common if they share less than these parts of their shingles and words, and at
/// most this many names. Unrelated texts share up to 0.2 of their words by chance, reports of one thing 0.25 and more.
pub(super) const NOTHING_IN_COMMON: f32 = 0.05;
pub(super) const OTHER_SUBJECT: f32 = 0.2;
pub(super) const OTHER_SUBJECT_NAMES: usize = 1;
/// Other items of a feed that share at least this many keys with an item may have its frame.
pub(super) const FRAME_KEYS: usize = 3;
/// Maximum number of these items that are looked at.
pub(super) const FRAME_EXAMPLES: usize = 4;
/// A frame recurs when at least this many other items of the two feeds have it.
pub(super) const FRAME_ITEMS: usize = 2;
/// Another filling of a frame has other words at one place in this many shared words.
pub(super) const WORDS_PER_SLOT: usize = 30;
/// Or one word was replaced for at most this many that were kept.
pub(super) const KEPT_PER_LOST: usize = 6;
/// In a recurring frame, this part of the words that fill it may differ.
pub(super) const FILLING: f32 = 0.25;
/// Unless it is filled with at least this many names and numbers, and [`SHARED_NAMES`] of them are the same.
pub(super) const FILLING_NAMES: usize = 5;
/// Texts that share this much differ in no word that their headlines differ in, unless it is found in them.
pub(super) const EQUAL: f32 = 0.85;
/// A text of which this much is in the other was cut from it.
pub(super) const CUT: f32 = 0.95;
/// A headline of this many words and characters that two items share within [`HEADLINE_HOURS`] is one report,
pub(super) const HEADLINE_WORDS: usize = 5;
pub(super) const HEADLINE_CHARS: usize = 38;
/// if the weights of its words, less that of a common word each, add up to this.
pub(super) const HEADLINE_RARITY: f32 = 2.6;
pub(super) const COMMON: f32 = 0.35;
/// What a character of a script without spaces adds.
pub(super) const CHARACTER: f32 = 0.13;
/// Longest time between two items that only their headline joins, in hours.
pub(super) const HEADLINE_HOURS: i64 = 18;
/// Longest text, in English words, that counts as a teaser of its headline.
pub(super) const TEASER_WORDS: usize = 60;
/// A replaced piece is one slot up to this many words on each side.
pub(super) const SLOT_WORDS: usize = 5;
/// The unit of a number is among this many words behind a slot.
pub(super) const UNIT_WORDS: usize = 2;

/// Largest number of items in a story. A bound on work, not on what a story may be.
pub(super) const STORY: usize = 200;
/// Matches within a group that an item needs where it does not match the centre.
pub(super) const MEMBERS: usize = 2;
/// Matches that outweigh one refusal.
pub(super) const MATCHES_PER_REFUSAL: usize = 2;
/// Maximum number of candidates that are compared word by word, in all and of one story.
pub const CANDIDATES: usize = 16;
pub(super) const CANDIDATES_OF_STORY: usize = 8;
/// Matches after which the other items of a story are not compared, unless there are refusals.
pub const ENOUGH_MATCHES: usize = 3;
/// Maximum number of items of other feeds that a search returns.
pub(super) const SEARCHED: usize = 64;
/// Maximum number of items of one key, the earliest first. A key that more items share is a common phrase.
pub(super) const PER_KEY: usize = 48;

/// Two sketches of at least this many keys that share one key alone are not compared: a phrase is the
/// same, and of texts that share the part 0.44 of their shingles fewer than one in 100 share no more.
pub(super) const CONFIDENT_KEYS: usize = 30;

/// Paragraphs that this share of a feed's items has, and at least this many items, are boilerplate.
pub(super) const BOILERPLATE_SHARE: f32 = 0.5;
pub(super) const BOILERPLATE_ITEMS: usize = 3;
/// A paragraph that is all links, or begins as boilerplate does, is boilerplate up to this many words.
pub(super) const BOILERPLATE_WORDS: usize = 25;
/// An item with fewer own words is compared by its quotations too.
pub(super) const OWN_WORDS: usize = 8;
/// Maximum number of links of a short text that are compared.
pub(super) const MENTIONS: usize = 8;
/// A paragraph of this many words that is one direct speech is a quotation.
pub(super) const SPEECH_WORDS: usize = 30;
