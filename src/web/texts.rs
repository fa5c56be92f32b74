//! The texts of the pages of an output in each language, and its dates.

use jiff::ZonedDateTime;
use jiff::civil::Date;

/// The texts of the pages in one language.
#[derive(Debug)]
pub(super) struct Texts {
    /// Language tag of the page.
    pub(super) code: &'static str,
    /// Heading of the page for screen readers.
    pub(super) stories: &'static str,
    /// Link to the page without search and filters.
    pub(super) all_stories: &'static str,
    /// Number of one story.
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
    /// Before the name of another feed with the story.
    pub(super) also_at: &'static str,
    /// Link to the page of a story.
    pub(super) full_text: &'static str,
    /// Link to the page of a story with files.
    pub(super) files: &'static str,
    /// Before the name of a file.
    pub(super) file: &'static str,
    /// Label of the links to other pages.
    pub(super) pages: &'static str,
    /// Link to older stories.
    pub(super) older: &'static str,
    /// Link to the first page.
    pub(super) newest: &'static str,
    /// Heading of the months.
    pub(super) archive: &'static str,
    /// Heading of the URLs for feed readers.
    pub(super) subscribe: &'static str,
    /// What to do with the URLs.
    pub(super) copy_url: &'static str,
    /// What to do with the URLs of a filtered page.
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
    /// Name of a sound.
    pub(super) sound: &'static str,
    /// Name of a film.
    pub(super) film: &'static str,
    /// Months, from January.
    months: [&'static str; 12],
    /// Days of the week, from Monday.
    weekdays: [&'static str; 7],
    /// A month, with `{month}` and `{year}`.
    month: &'static str,
    /// A date, with `{day}`, `{month}` and `{year}`.
    date: &'static str,
    /// A date with its `{weekday}`.
    full_date: &'static str,
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
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    month: "{month} {year}",
    date: "{day} {month} {year}",
    full_date: "{weekday}, {date}",
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
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    weekdays: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
    month: "{month} {year}",
    date: "{day}. {month} {year}",
    full_date: "{weekday}, {date}",
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
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    weekdays: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    month: "{month} {year}",
    date: "{day} {month} {year}",
    full_date: "{weekday} {date}",
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
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    weekdays: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
    month: "{month} de {year}",
    date: "{day} de {month} de {year}",
    full_date: "{weekday}, {date}",
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
    months: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
    weekdays: ["月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日", "日曜日"],
    month: "{year}年{month}",
    date: "{year}年{month}{day}日",
    full_date: "{date} {weekday}",
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

    /// A date: `14 November 2023`.
    fn date(&self, at: &ZonedDateTime) -> String {
        self.date
            .replace("{day}", &at.day().to_string())
            .replace("{month}", self.month_name(at.date()))
            .replace("{year}", &at.year().to_string())
    }

    /// The name of the month of a day: `November`.
    pub(super) fn month_name(&self, day: Date) -> &'static str {
        let month = usize::try_from(day.month()).ok().and_then(|n| self.months.get(n - 1));
        month.copied().unwrap_or_default()
    }

    /// The month of a day with its year: `November 2023`.
    pub(super) fn month(&self, day: Date) -> String {
        self.month
            .replace("{month}", self.month_name(day))
            .replace("{year}", &day.year().to_string())
    }

    /// A date with its day of the week: `Tuesday, 14 November 2023`.
    pub(super) fn full_date(&self, at: &ZonedDateTime) -> String {
        let day = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or_default();
        let weekday = self.weekdays.get(day).copied().unwrap_or_default();
        self.full_date.replace("{date}", &self.date(at)).replace("{weekday}", weekday)
    }

    /// A date with time and zone: `14 November 2023, 22:13 UTC`.
    pub(super) fn moment(&self, at: &ZonedDateTime) -> String {
        format!("{}, {}", self.date(at), at.strftime("%H:%M %Z"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn at(zone: &str) -> ZonedDateTime {
        let at: Timestamp = "2026-02-28T23:30:00Z".parse().unwrap();
        at.in_tz(zone).unwrap()
    }

    #[test]
    fn dates_are_written_in_the_language_and_the_zone() {
        for (language, zone, date, moment) in [
            ("en", "UTC", "Saturday, 28 February 2026", "28 February 2026, 23:30 UTC"),
            ("de-AT", "Europe/Vienna", "Sonntag, 1. März 2026", "1. März 2026, 00:30 CET"),
            ("FR", "America/Montreal", "samedi 28 février 2026", "28 février 2026, 18:30 EST"),
            ("es", "UTC", "sábado, 28 de febrero de 2026", "28 de febrero de 2026, 23:30 UTC"),
            ("ja", "Asia/Tokyo", "2026年3月1日 日曜日", "2026年3月1日, 08:30 JST"),
        ] {
            let texts = Texts::of(Some(language));
            assert_eq!(texts.full_date(&at(zone)), date);
            assert_eq!(texts.moment(&at(zone)), moment);
            let year_and_name = ["2026", texts.month_name(at(zone).date())];
            assert!(year_and_name.iter().all(|part| texts.month(at(zone).date()).contains(part)));
        }
    }

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
            assert!(["{day}", "{month}", "{year}"].iter().all(|part| texts.date.contains(part)));
            assert!(["{month}", "{year}"].iter().all(|part| texts.month.contains(part)));
            assert!(texts.full_date.contains("{date}") && texts.full_date.contains("{weekday}"));
        }
    }
}
