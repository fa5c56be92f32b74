//! The words that Newswire itself writes into the documents and the pages of an output, in each language.
//!
//! French has a no-break space before a colon and inside of quotation marks, Japanese its own punctuation.

use crate::text::dates::Calendar;

/// The words of documents and pages in one language.
#[derive(Debug)]
pub struct Texts {
    /// Language tag of the page.
    pub code: &'static str,
    /// What follows a label or a name before the text that it introduces, with spaces.
    pub colon: &'static str,
    /// What separates names and facts, with a space if the language has one there.
    pub comma: &'static str,
    /// Quotation marks, opening and closing, with spaces.
    pub quotes: [&'static str; 2],
    /// Heading of the page for screen readers.
    pub stories: &'static str,
    /// Link to the page without search and filters.
    pub all_stories: &'static str,
    /// The count "1 story".
    pub one_story: &'static str,
    /// Number of stories; `{}` is the number.
    pub many_stories: &'static str,
    /// Number of stories of a page that is not the last one; `{}` is the number.
    more_than: &'static str,
    /// Link to the site of a feed.
    pub site: &'static str,
    /// Link to a feed itself.
    pub feed_link: &'static str,
    /// Button and label of the search.
    pub search: &'static str,
    /// Text in the empty search field.
    pub search_hint: &'static str,
    /// Label of the menu of feeds.
    pub feed: &'static str,
    /// First option of the menu of feeds, which selects all. Short, because the menu is narrow.
    pub all_feeds: &'static str,
    /// Label of the menu of tags.
    pub tag: &'static str,
    /// First option of the menu of tags, which selects all. Short, because the menu is narrow.
    pub all_tags: &'static str,
    /// Text of a page of an output without stories, whose feeds are being polled.
    pub no_stories: &'static str,
    /// Text of a page of an output without stories, whose feeds were polled.
    pub no_stories_now: &'static str,
    /// Text of a page without results, if older stories were not searched.
    pub no_newer_match: &'static str,
    /// Text of a page without results.
    pub no_match: &'static str,
    /// Text of a page without results, if the search has no word that a story could have.
    pub no_words: &'static str,
    /// Label of the link of a time, for screen readers.
    pub permanent_link: &'static str,
    /// Label before the names of other feeds with the story.
    pub also_at: &'static str,
    /// Link to the page of a story.
    pub full_text: &'static str,
    /// Link to the page of a story with files.
    pub files: &'static str,
    /// Label before the name of a file.
    pub file: &'static str,
    /// Label of the links to other pages.
    pub pages: &'static str,
    /// Link to older stories.
    pub older: &'static str,
    /// Link to the page before this one, with newer stories.
    pub newer: &'static str,
    /// Link to the first page.
    pub newest: &'static str,
    /// Heading of the months.
    pub archive: &'static str,
    /// Heading of the URLs for feed readers.
    pub subscribe: &'static str,
    /// Instruction for the URLs.
    pub copy_url: &'static str,
    /// Instruction for the URLs of a filtered page, before a colon.
    pub copy_selected: &'static str,
    /// Heading of the tags.
    pub tags: &'static str,
    /// Heading of the feeds.
    pub feeds: &'static str,
    /// Number of feeds that are only in the menu; `{}` is the number.
    pub more_feeds: &'static str,
    /// Link to the page of the publisher.
    pub original: &'static str,
    /// Link to the comments.
    pub comments: &'static str,
    /// Name of a picture without a text.
    pub picture: &'static str,
    /// Name of a sound file without a title.
    pub sound: &'static str,
    /// Name of a video without a title.
    pub film: &'static str,
}

/// Every language; the first is the default.
const LANGUAGES: &[&Texts] = &[&ENGLISH, &GERMAN, &FRENCH, &SPANISH, &JAPANESE];

const ENGLISH: Texts = Texts {
    code: "en",
    colon: ": ",
    comma: ", ",
    quotes: ["“", "”"],
    stories: "Stories",
    all_stories: "All stories",
    one_story: "1 story",
    many_stories: "{} stories",
    more_than: "More than {} stories",
    site: "Site",
    feed_link: "Feed",
    search: "Search",
    search_hint: "Search titles and texts",
    feed: "Feed",
    all_feeds: "All feeds",
    tag: "Tag",
    all_tags: "All tags",
    no_stories: "There are no stories yet. Try again in a moment.",
    no_stories_now: "There are no stories from these feeds at present.",
    no_newer_match: "No match among the newer stories.",
    no_match: "No story matches.",
    no_words: "The search has no word to look for. Type at least one word that the stories contain.",
    permanent_link: "Permanent link",
    also_at: "Also at",
    full_text: "Full text",
    files: "Files",
    file: "File",
    pages: "Pages",
    older: "Older stories",
    newer: "Newer stories",
    newest: "Newest stories",
    archive: "Archive",
    subscribe: "Subscribe",
    copy_url: "Copy a URL into your feed reader.",
    copy_selected: "Copy a URL into your feed reader to get the stories of this page",
    tags: "Tags",
    feeds: "Feeds",
    more_feeds: "More in the menu above: {}.",
    original: "Original",
    comments: "Comments",
    picture: "image",
    sound: "audio",
    film: "video",
};

const GERMAN: Texts = Texts {
    code: "de",
    colon: ": ",
    comma: ", ",
    quotes: ["„", "“"],
    stories: "Artikel",
    all_stories: "Alle Artikel",
    one_story: "1 Artikel",
    many_stories: "{} Artikel",
    more_than: "Mehr als {} Artikel",
    site: "Website",
    feed_link: "Feed",
    search: "Suchen",
    search_hint: "Titel und Texte durchsuchen",
    feed: "Feed",
    all_feeds: "Feeds",
    tag: "Thema",
    all_tags: "Themen",
    no_stories: "Es gibt noch keine Artikel. Versuchen Sie es in Kürze noch einmal.",
    no_stories_now: "Zurzeit gibt es keine Artikel aus diesen Feeds.",
    no_newer_match: "Kein Treffer unter den neueren Artikeln.",
    no_match: "Keine Artikel gefunden.",
    no_words: "Die Suche enthält kein Wort, nach dem gesucht werden kann. Geben Sie mindestens ein Wort ein, das in den Artikeln vorkommt.",
    permanent_link: "Permalink",
    also_at: "Auch bei",
    full_text: "Ganzer Artikel",
    files: "Dateien",
    file: "Datei",
    pages: "Seiten",
    older: "Ältere Artikel",
    newer: "Neuere Artikel",
    newest: "Neueste Artikel",
    archive: "Archiv",
    subscribe: "Abonnieren",
    copy_url: "Kopieren Sie eine URL in Ihren Feedreader.",
    copy_selected: "Kopieren Sie eine URL in Ihren Feedreader, um die Artikel dieser Seite zu erhalten",
    tags: "Themen",
    feeds: "Feeds",
    more_feeds: "Weitere im Menü oben: {}.",
    original: "Original",
    comments: "Kommentare",
    picture: "Bild",
    sound: "Audio",
    film: "Video",
};

const FRENCH: Texts = Texts {
    code: "fr",
    colon: "\u{a0}: ",
    comma: ", ",
    quotes: ["«\u{a0}", "\u{a0}»"],
    stories: "Articles",
    all_stories: "Tous les articles",
    one_story: "1 article",
    many_stories: "{} articles",
    more_than: "Plus de {} articles",
    site: "Site",
    feed_link: "Flux",
    search: "Rechercher",
    search_hint: "Rechercher un article",
    feed: "Flux",
    all_feeds: "Flux",
    tag: "Thème",
    all_tags: "Thèmes",
    no_stories: "Aucun article pour l’instant. Réessayez dans un moment.",
    no_stories_now: "Ces flux ne proposent actuellement aucun article.",
    no_newer_match: "Aucun résultat parmi les articles plus récents.",
    no_match: "Aucun article trouvé.",
    no_words: "La recherche ne contient aucun mot à trouver. Saisissez au moins un mot présent dans les articles.",
    permanent_link: "Lien permanent",
    also_at: "Également sur",
    full_text: "Article complet",
    files: "Fichiers",
    file: "Fichier",
    pages: "Pages",
    older: "Articles plus anciens",
    newer: "Articles plus récents",
    newest: "Articles les plus récents",
    archive: "Archives",
    subscribe: "S’abonner",
    copy_url: "Copiez une URL dans votre lecteur de flux.",
    copy_selected: "Copiez une URL dans votre lecteur de flux pour recevoir les articles de cette page",
    tags: "Thèmes",
    feeds: "Flux",
    more_feeds: "Autres flux dans le menu ci-dessus\u{a0}: {}.",
    original: "Article original",
    comments: "Commentaires",
    picture: "image",
    sound: "audio",
    film: "vidéo",
};

const SPANISH: Texts = Texts {
    code: "es",
    colon: ": ",
    comma: ", ",
    quotes: ["«", "»"],
    stories: "Artículos",
    all_stories: "Todos los artículos",
    one_story: "1 artículo",
    many_stories: "{} artículos",
    more_than: "Más de {} artículos",
    site: "Sitio",
    feed_link: "Fuente",
    search: "Buscar",
    search_hint: "Buscar en títulos y textos",
    feed: "Fuente",
    all_feeds: "Fuentes",
    tag: "Tema",
    all_tags: "Temas",
    no_stories: "Todavía no hay artículos. Inténtelo de nuevo en un momento.",
    no_stories_now: "En este momento no hay artículos de estas fuentes.",
    no_newer_match: "Ningún resultado entre los artículos más recientes.",
    no_match: "No se ha encontrado ningún artículo.",
    no_words: "La búsqueda no contiene ninguna palabra que buscar. Escriba al menos una palabra que aparezca en los artículos.",
    permanent_link: "Enlace permanente",
    also_at: "También en",
    full_text: "Artículo completo",
    files: "Archivos",
    file: "Archivo",
    pages: "Páginas",
    older: "Artículos más antiguos",
    newer: "Artículos más recientes",
    newest: "Últimos artículos",
    archive: "Archivo",
    subscribe: "Suscribirse",
    copy_url: "Copie una URL en su lector de RSS.",
    copy_selected: "Copie una URL en su lector de RSS para recibir los artículos de esta página",
    tags: "Temas",
    feeds: "Fuentes",
    more_feeds: "Otras fuentes en el menú de arriba: {}.",
    original: "Artículo original",
    comments: "Comentarios",
    picture: "imagen",
    sound: "audio",
    film: "vídeo",
};

const JAPANESE: Texts = Texts {
    code: "ja",
    colon: "：",
    comma: "、",
    quotes: ["「", "」"],
    stories: "記事",
    all_stories: "すべての記事",
    one_story: "1件の記事",
    many_stories: "{}件の記事",
    more_than: "{}件以上の記事",
    site: "サイト",
    feed_link: "フィード",
    search: "検索",
    search_hint: "タイトルと本文を検索",
    feed: "フィード",
    all_feeds: "フィード",
    tag: "タグ",
    all_tags: "タグ",
    no_stories: "まだ記事がありません。しばらくしてからもう一度お試しください。",
    no_stories_now: "現在、これらのフィードに記事はありません。",
    no_newer_match: "これより新しい記事には見つかりませんでした。",
    no_match: "該当する記事はありません。",
    no_words: "検索できる語がありません。記事に含まれる語を一つ以上入力してください。",
    permanent_link: "固定リンク",
    also_at: "ほかの掲載元",
    full_text: "全文",
    files: "ファイル",
    file: "ファイル",
    pages: "ページ",
    older: "古い記事",
    newer: "新しい記事",
    newest: "最新の記事",
    archive: "アーカイブ",
    subscribe: "購読",
    copy_url: "URLをフィードリーダーに登録してください。",
    copy_selected: "このページの記事を受け取るには、URLをフィードリーダーに登録してください",
    tags: "タグ",
    feeds: "フィード",
    more_feeds: "上のメニューにほか{}件あります。",
    original: "元の記事",
    comments: "コメント",
    picture: "画像",
    sound: "音声",
    film: "動画",
};

impl Texts {
    /// The texts for a language tag, by its first part; English for an unknown language.
    #[must_use]
    pub fn of(language: Option<&str>) -> &'static Self {
        let primary = language.and_then(|tag| tag.split('-').next()).unwrap_or_default();
        let known = LANGUAGES.iter().find(|texts| texts.code.eq_ignore_ascii_case(primary));
        known.copied().unwrap_or(&ENGLISH)
    }

    /// The number of stories in words.
    #[must_use]
    pub fn count(&self, stories: usize) -> String {
        match stories {
            1 => self.one_story.to_owned(),
            many => self.many_stories.replace("{}", &many.to_string()),
        }
    }

    /// The number of stories in words, if there are more.
    #[must_use]
    pub fn more_than(&self, stories: usize) -> String {
        self.more_than.replace("{}", &stories.to_string())
    }

    /// The number of feeds that are only in the menu.
    #[must_use]
    pub fn more_feeds(&self, feeds: usize) -> String {
        self.more_feeds.replace("{}", &feeds.to_string())
    }

    /// Every language.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        LANGUAGES.iter().copied()
    }

    /// A name and the text that it introduces.
    #[must_use]
    pub fn introduced(&self, name: &str, text: &str) -> String {
        format!("{name}{}{text}", self.colon)
    }

    /// The text in quotation marks.
    #[must_use]
    pub fn quoted(&self, text: &str) -> String {
        let [open, close] = self.quotes;
        format!("{open}{text}{close}")
    }

    /// The calendar of the language.
    #[must_use]
    pub fn calendar(&self) -> &'static Calendar {
        Calendar::of(Some(self.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_language_is_english() {
        assert_eq!(Texts::of(Some("eo")).code, "en");
        assert_eq!(Texts::of(None).code, "en");
        assert_eq!(Texts::of(Some("en-GB")).count(2), "2 stories");
        assert_eq!(Texts::of(Some("de")).count(1), "1 Artikel");
    }

    #[test]
    fn each_language_has_all_placeholders() {
        for texts in LANGUAGES {
            assert!(texts.many_stories.contains("{}") && texts.more_than.contains("{}"));
            assert!(texts.more_feeds.contains("{}"));
        }
    }
}
