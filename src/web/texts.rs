//! The texts of the pages of an output in each language.

use crate::text::calendar::Calendar;

/// The texts of the pages in one language.
#[derive(Debug)]
pub(super) struct Texts {
    /// Language tag of the page.
    pub(super) code: &'static str,
    /// Heading of the page for screen readers.
    pub(super) stories: &'static str,
    /// Link to the page without search and filters.
    pub(super) all_stories: &'static str,
    /// The count "1 story".
    pub(super) one_story: &'static str,
    /// Number of stories; `{}` is the number.
    pub(super) many_stories: &'static str,
    /// Number of stories of a page that is not the last one; `{}` is the number.
    more_than: &'static str,
    /// Link to the site of a feed.
    pub(super) site: &'static str,
    /// Link to a feed itself.
    pub(super) feed_link: &'static str,
    /// Button and label of the search.
    pub(super) search: &'static str,
    /// Text in the empty search field.
    pub(super) search_hint: &'static str,
    /// Label of the menu of feeds.
    pub(super) feed: &'static str,
    /// First option of the menu of feeds.
    pub(super) all_feeds: &'static str,
    /// Label of the menu of tags.
    pub(super) tag: &'static str,
    /// First option of the menu of tags.
    pub(super) all_tags: &'static str,
    /// Text of a page of an output without stories.
    pub(super) no_stories: &'static str,
    /// Text of a page without results, if older stories were not searched.
    pub(super) no_newer_match: &'static str,
    /// Text of a page without results.
    pub(super) no_match: &'static str,
    /// Label of the link of a time, for screen readers.
    pub(super) permanent_link: &'static str,
    /// Label before the name of another feed with the story.
    pub(super) also_at: &'static str,
    /// Link to the page of a story.
    pub(super) full_text: &'static str,
    /// Link to the page of a story with files.
    pub(super) files: &'static str,
    /// Label before the name of a file.
    pub(super) file: &'static str,
    /// Label of the links to other pages.
    pub(super) pages: &'static str,
    /// Link to older stories.
    pub(super) older: &'static str,
    /// Link to the page before this one, with newer stories.
    pub(super) newer: &'static str,
    /// Link to the first page.
    pub(super) newest: &'static str,
    /// Heading of the months.
    pub(super) archive: &'static str,
    /// Heading of the URLs for feed readers.
    pub(super) subscribe: &'static str,
    /// Instruction for the URLs.
    pub(super) copy_url: &'static str,
    /// Instruction for the URLs of a filtered page.
    pub(super) copy_selected: &'static str,
    /// Heading of the tags.
    pub(super) tags: &'static str,
    /// Heading of the feeds.
    pub(super) feeds: &'static str,
    /// Number of feeds that are only in the menu; `{}` is the number.
    pub(super) more_feeds: &'static str,
    /// Link to the page of the publisher.
    pub(super) original: &'static str,
    /// Link to the comments.
    pub(super) comments: &'static str,
    /// Name of a picture without a text.
    pub(super) picture: &'static str,
    /// Name of a sound file without a title.
    pub(super) sound: &'static str,
    /// Name of a video without a title.
    pub(super) film: &'static str,
}

/// Every language; the first is the default.
const LANGUAGES: &[&Texts] = &[&ENGLISH, &GERMAN, &FRENCH, &SPANISH, &JAPANESE];

const ENGLISH: Texts = Texts {
    code: "en",
    stories: "Stories",
    all_stories: "All stories",
    one_story: "1 story",
    many_stories: "{} stories",
    more_than: "more than {} stories",
    site: "site",
    feed_link: "feed",
    search: "Search",
    search_hint: "Search titles and texts",
    feed: "Feed",
    all_feeds: "All feeds",
    tag: "Tag",
    all_tags: "All tags",
    no_stories: "There are no stories yet. Try again in a moment.",
    no_newer_match: "No match among the newer stories.",
    no_match: "No story matches.",
    permanent_link: "permanent link",
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
    copy_selected: "Copy a URL into your feed reader to get the stories of this page:",
    tags: "Tags",
    feeds: "Feeds",
    more_feeds: "{} more are in the menu above.",
    original: "Original",
    comments: "Comments",
    picture: "picture",
    sound: "sound",
    film: "film",
};

const GERMAN: Texts = Texts {
    code: "de",
    stories: "Artikel",
    all_stories: "Alle Artikel",
    one_story: "1 Artikel",
    many_stories: "{} Artikel",
    more_than: "mehr als {} Artikel",
    site: "Website",
    feed_link: "Feed",
    search: "Suchen",
    search_hint: "Titel und Texte durchsuchen",
    feed: "Feed",
    all_feeds: "Alle Feeds",
    tag: "Tag",
    all_tags: "Alle Tags",
    no_stories: "Es gibt noch keine Artikel. Versuchen Sie es gleich noch einmal.",
    no_newer_match: "Kein Treffer unter den neueren Artikeln.",
    no_match: "Kein Artikel gefunden.",
    permanent_link: "Permalink",
    also_at: "Auch bei",
    full_text: "Ganzer Text",
    files: "Dateien",
    file: "Datei",
    pages: "Seiten",
    older: "Ältere Artikel",
    newer: "Neuere Artikel",
    newest: "Neueste Artikel",
    archive: "Archiv",
    subscribe: "Abonnieren",
    copy_url: "Kopieren Sie eine URL in Ihren Feedreader.",
    copy_selected: "Kopieren Sie eine URL in Ihren Feedreader, um die Artikel dieser Seite zu erhalten:",
    tags: "Tags",
    feeds: "Feeds",
    more_feeds: "{} weitere stehen oben im Menü.",
    original: "Original",
    comments: "Kommentare",
    picture: "Bild",
    sound: "Ton",
    film: "Film",
};

const FRENCH: Texts = Texts {
    code: "fr",
    stories: "Articles",
    all_stories: "Tous les articles",
    one_story: "1 article",
    many_stories: "{} articles",
    more_than: "plus de {} articles",
    site: "site",
    feed_link: "flux",
    search: "Rechercher",
    search_hint: "Chercher dans les titres et les textes",
    feed: "Flux",
    all_feeds: "Tous les flux",
    tag: "Mot-clé",
    all_tags: "Tous les mots-clés",
    no_stories: "Il n’y a pas encore d’articles. Réessayez dans un instant.",
    no_newer_match: "Aucun résultat parmi les articles récents.",
    no_match: "Aucun article trouvé.",
    permanent_link: "lien permanent",
    also_at: "Aussi sur",
    full_text: "Texte complet",
    files: "Fichiers",
    file: "Fichier",
    pages: "Pages",
    older: "Articles plus anciens",
    newer: "Articles plus récents",
    newest: "Articles les plus récents",
    archive: "Archives",
    subscribe: "S’abonner",
    copy_url: "Copiez une URL dans votre lecteur de flux.",
    copy_selected: "Copiez une URL dans votre lecteur de flux pour recevoir les articles de cette page :",
    tags: "Mots-clés",
    feeds: "Flux",
    more_feeds: "{} autres se trouvent dans le menu ci-dessus.",
    original: "Original",
    comments: "Commentaires",
    picture: "image",
    sound: "son",
    film: "film",
};

const SPANISH: Texts = Texts {
    code: "es",
    stories: "Artículos",
    all_stories: "Todos los artículos",
    one_story: "1 artículo",
    many_stories: "{} artículos",
    more_than: "más de {} artículos",
    site: "sitio",
    feed_link: "fuente",
    search: "Buscar",
    search_hint: "Buscar en títulos y textos",
    feed: "Fuente",
    all_feeds: "Todas las fuentes",
    tag: "Etiqueta",
    all_tags: "Todas las etiquetas",
    no_stories: "Todavía no hay artículos. Inténtelo de nuevo en un momento.",
    no_newer_match: "Ningún resultado entre los artículos recientes.",
    no_match: "No se encontró ningún artículo.",
    permanent_link: "enlace permanente",
    also_at: "También en",
    full_text: "Texto completo",
    files: "Archivos",
    file: "Archivo",
    pages: "Páginas",
    older: "Artículos anteriores",
    newer: "Artículos posteriores",
    newest: "Artículos más recientes",
    archive: "Archivo",
    subscribe: "Suscribirse",
    copy_url: "Copie una URL en su lector de fuentes.",
    copy_selected: "Copie una URL en su lector de fuentes para recibir los artículos de esta página:",
    tags: "Etiquetas",
    feeds: "Fuentes",
    more_feeds: "{} más están en el menú de arriba.",
    original: "Original",
    comments: "Comentarios",
    picture: "imagen",
    sound: "sonido",
    film: "vídeo",
};

const JAPANESE: Texts = Texts {
    code: "ja",
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
    all_feeds: "すべてのフィード",
    tag: "タグ",
    all_tags: "すべてのタグ",
    no_stories: "まだ記事がありません。しばらくしてからもう一度お試しください。",
    no_newer_match: "新しい記事には見つかりませんでした。",
    no_match: "該当する記事はありません。",
    permanent_link: "固定リンク",
    also_at: "ほかの掲載:",
    full_text: "全文",
    files: "ファイル",
    file: "ファイル",
    pages: "ページ",
    older: "前の記事",
    newer: "次の記事",
    newest: "最新の記事",
    archive: "アーカイブ",
    subscribe: "購読",
    copy_url: "URLをフィードリーダーに登録してください。",
    copy_selected: "このページの記事を受け取るには、URLをフィードリーダーに登録してください:",
    tags: "タグ",
    feeds: "フィード",
    more_feeds: "ほかに{}件が上のメニューにあります。",
    original: "元の記事",
    comments: "コメント",
    picture: "画像",
    sound: "音声",
    film: "動画",
};

impl Texts {
    /// The texts for a language tag, by its first part; English for an unknown language.
    pub(super) fn of(language: Option<&str>) -> &'static Self {
        let primary = language.and_then(|tag| tag.split('-').next()).unwrap_or_default();
        let known = LANGUAGES.iter().find(|texts| texts.code.eq_ignore_ascii_case(primary));
        known.copied().unwrap_or(&ENGLISH)
    }

    /// The number of stories in words.
    pub(super) fn count(&self, stories: usize) -> String {
        match stories {
            1 => self.one_story.to_owned(),
            many => self.many_stories.replace("{}", &many.to_string()),
        }
    }

    /// The number of stories in words, if there are more.
    pub(super) fn more_than(&self, stories: usize) -> String {
        self.more_than.replace("{}", &stories.to_string())
    }

    /// The number of feeds that are only in the menu.
    pub(super) fn more_feeds(&self, feeds: usize) -> String {
        self.more_feeds.replace("{}", &feeds.to_string())
    }

    /// The calendar of the language.
    pub(super) fn calendar(&self) -> &'static Calendar {
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
