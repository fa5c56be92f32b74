//! Pages that belong to no output: the index and the pages of errors, with their texts in each language.
//!
//! Each client gets them in the language that it prefers, because the outputs of a server may have several. The pages of
//! an output have the language of the output: see `texts`. Only browsers get a page of an error. All other clients get a
//! line of text.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::negotiate::{self, Representation};
use super::response::HTML;
use super::site::Site;
use crate::outputs::ServedOutput;
use crate::render::{Format, Texts};
use crate::text::dates;

/// The style sheet of all pages. The content security policy forbids inline styles.
pub(super) const STYLE: &str = include_str!("style.css");

/// The icon of all pages.
pub(super) const ICON: &str = include_str!("icon.svg");

#[derive(Template)]
#[template(path = "index.html", config = "src/web/askama.toml")]
struct Index {
    notices: &'static Notices,
    outputs: Vec<OutputSection>,
}

struct OutputSection {
    title: String,
    /// Relative URL of its page of stories.
    page: String,
    description: String,
    stories: String,
    /// Time of its last change; `None`: it has no stories.
    changed: Option<Changed>,
    formats: Vec<FormatLink>,
}

/// Time of a change.
struct Changed {
    /// The time for `<time datetime>`, RFC 3339.
    machine: String,
    /// `14 November 2023, 22:13 UTC`.
    date: String,
}

struct FormatLink {
    url: String,
    media_type: &'static str,
    name: &'static str,
}

/// The index as HTML in the language of the texts.
pub(super) fn index(
    outputs: &[Arc<ServedOutput>],
    notices: &'static Notices,
) -> Result<String, askama::Error> {
    let public = outputs.iter().filter(|output| output.token.is_none());
    Index { outputs: public.map(|output| output_section(output, notices)).collect(), notices }
        .render()
}

fn output_section(output: &ServedOutput, notices: &Notices) -> OutputSection {
    let texts = Texts::of(Some(notices.code));
    let changed = |at: Timestamp| Changed {
        machine: dates::rfc3339(at),
        date: texts.calendar().moment(&at.to_zoned_datetime(TimeZone::UTC)),
    };
    let link = |format: &Format| FormatLink {
        url: format!("{}.{}", output.id, format.extension()),
        media_type: format.media_type(),
        name: format.name(),
    };
    OutputSection {
        title: output.title.clone(),
        page: format!("{}/", output.id),
        description: output.description.clone().unwrap_or_default(),
        stories: match output.items {
            0 => notices.no_stories.to_owned(),
            many => texts.count(many),
        },
        // Without its age, so that the page changes only with the outputs.
        changed: output.modified().filter(|_| output.items > 0).map(changed),
        formats: output.documents.iter().map(|(format, _)| link(format)).collect(),
    }
}

/// Mark of a response whose text is for clients other than browsers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

#[derive(Template)]
#[template(path = "error.html", config = "src/web/askama.toml")]
struct ErrorPage {
    code: &'static str,
    /// Relative URL of the root of the server.
    root: String,
    status: u16,
    title: &'static str,
    text: &'static str,
    /// Link to the page of the output; `None`: the path names no public output.
    output: Option<OutputLink>,
    all_feeds: &'static str,
}

struct OutputLink {
    url: String,
    title: String,
}

/// Replaces the text of an error by a page if a browser asked for it.
pub(super) async fn with_error_page(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    if negotiate::representation(request.headers()) == Representation::Feed {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let preferred = Notices::preferred(request.headers());
    let mut response = next.run(request).await;
    if response.extensions().get::<Plain>().is_none() {
        return response;
    }
    if let Some(html) = error_page(&site, &path, response.status(), preferred) {
        describe(response.headers_mut());
        *response.body_mut() = Body::from(html);
    }
    response
}

fn describe(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Language, Sec-Fetch-Mode"));
}

/// The page of an error, in the language of the output that the path names, else in the one that the client prefers.
///
/// Only public outputs count, so that the page does not show which other outputs there are.
fn error_page(site: &Site, path: &str, status: StatusCode, preferred: &Notices) -> Option<String> {
    let id = path.split('/').nth(1).unwrap_or_default();
    let id = id.rsplit_once('.').map_or(id, |(id, _)| id);
    let output = site.served.output(id).filter(|output| output.token.is_none());
    let language = output.as_ref().and_then(|output| output.presentation.language.as_deref());
    let notices = language.and_then(Notices::of).unwrap_or(preferred);
    let (title, text) = notices.error(status);
    let root = "../".repeat(path.matches('/').count().saturating_sub(1));
    let page = ErrorPage {
        code: notices.code,
        status: status.as_u16(),
        title,
        text,
        output: output.filter(|output| output.contents.is_some()).map(|output| OutputLink {
            url: format!("{root}{}/", output.id),
            title: output.title.clone(),
        }),
        all_feeds: notices.all_feeds,
        root,
    };
    page.render().ok()
}

/// The texts in one language.
#[derive(Debug)]
pub(super) struct Notices {
    /// Language tag of the page.
    code: &'static str,
    /// Title of the index.
    feeds: &'static str,
    /// Text of an index without outputs.
    nothing: &'static str,
    /// Instruction below the title of the index.
    how_to: &'static str,
    /// Label before the time of the last change.
    last_change: &'static str,
    /// Text of an output without stories.
    no_stories: &'static str,
    /// Label before the link to the list of feeds.
    sources: &'static str,
    /// Link to the index.
    all_feeds: &'static str,
    /// Title and text of 401: the token is not valid.
    unauthorized: Notice,
    /// Title and text of 403: the request comes from a page of another site.
    forbidden: Notice,
    /// Title and text of 404.
    not_found: Notice,
    /// Title and text of any other error.
    failed: Notice,
}

/// Title and text of a page.
type Notice = (&'static str, &'static str);

/// Every language; the first is the default.
const LANGUAGES: &[&Notices] = &[&ENGLISH, &GERMAN, &FRENCH, &SPANISH, &JAPANESE];

const ENGLISH: Notices = Notices {
    code: "en",
    feeds: "Feeds",
    nothing: "Nothing has been published yet. Try again in a moment.",
    how_to: "Open a feed to read it here. To subscribe, copy the URL of any format into your feed reader.",
    last_change: "last change",
    no_stories: "no stories yet",
    sources: "List of the sources, for feed readers:",
    all_feeds: "All feeds",
    unauthorized: (
        "Token not valid",
        "The address contains a token that is not valid. Ask the person who sent it to you for a new one.",
    ),
    forbidden: ("Not allowed", "This page cannot be opened from another site. Enter its address."),
    not_found: (
        "Not found",
        "There is no page at this address. The story may be too old, or the address may have a typo.",
    ),
    failed: ("Error", "The page cannot be shown because of an error. Try again later."),
};

const GERMAN: Notices = Notices {
    code: "de",
    feeds: "Feeds",
    nothing: "Es wurde noch nichts veröffentlicht. Versuchen Sie es in Kürze noch einmal.",
    how_to: "Öffnen Sie einen Feed, um ihn hier zu lesen. Zum Abonnieren kopieren Sie die URL eines Formats in Ihren Feedreader.",
    last_change: "letzte Änderung",
    no_stories: "noch keine Artikel",
    sources: "Liste der Quellen für Feedreader:",
    all_feeds: "Alle Feeds",
    unauthorized: (
        "Token ungültig",
        "Die Adresse enthält ein ungültiges Token. Bitten Sie die Person, von der Sie die Adresse haben, um ein neues.",
    ),
    forbidden: (
        "Nicht erlaubt",
        "Diese Seite kann nicht von einer anderen Website aus geöffnet werden. Geben Sie ihre Adresse direkt ein.",
    ),
    not_found: (
        "Nicht gefunden",
        "Unter dieser Adresse gibt es keine Seite. Vielleicht ist der Artikel zu alt, oder die Adresse enthält einen Tippfehler.",
    ),
    failed: (
        "Fehler",
        "Die Seite kann wegen eines Fehlers nicht angezeigt werden. Versuchen Sie es später noch einmal.",
    ),
};

const FRENCH: Notices = Notices {
    code: "fr",
    feeds: "Flux",
    nothing: "Rien n’a encore été publié. Réessayez dans un moment.",
    how_to: "Ouvrez un flux pour le lire ici. Pour vous abonner, copiez l’URL d’un format dans votre lecteur de flux.",
    last_change: "dernière mise à jour",
    no_stories: "aucun article pour l’instant",
    sources: "Liste des sources pour les lecteurs de flux :",
    all_feeds: "Tous les flux",
    unauthorized: (
        "Jeton non valide",
        "L’adresse contient un jeton non valide. Demandez-en un nouveau à la personne qui vous l’a envoyée.",
    ),
    forbidden: (
        "Non autorisé",
        "Cette page ne peut pas être ouverte depuis un autre site. Saisissez directement son adresse.",
    ),
    not_found: (
        "Page introuvable",
        "Il n’y a pas de page à cette adresse. L’article est peut-être trop ancien, ou l’adresse contient une faute de frappe.",
    ),
    failed: (
        "Erreur",
        "La page ne peut pas être affichée en raison d’une erreur. Réessayez plus tard.",
    ),
};

const SPANISH: Notices = Notices {
    code: "es",
    feeds: "Canales",
    nothing: "Todavía no se ha publicado nada. Inténtelo de nuevo en un momento.",
    how_to: "Abra un canal para leerlo aquí. Para suscribirse, copie la URL de un formato en su lector de RSS.",
    last_change: "última actualización",
    no_stories: "aún no hay artículos",
    sources: "Lista de las fuentes para lectores de RSS:",
    all_feeds: "Todos los canales",
    unauthorized: (
        "Token no válido",
        "La dirección contiene un token no válido. Pida uno nuevo a la persona que se la envió.",
    ),
    forbidden: (
        "No permitido",
        "Esta página no se puede abrir desde otro sitio. Escriba directamente su dirección.",
    ),
    not_found: (
        "Página no encontrada",
        "No hay ninguna página en esta dirección. Quizá el artículo sea demasiado antiguo o la dirección tenga un error.",
    ),
    failed: (
        "Error",
        "La página no se puede mostrar debido a un error. Inténtelo de nuevo más tarde.",
    ),
};

const JAPANESE: Notices = Notices {
    code: "ja",
    feeds: "フィード",
    nothing: "まだ何も公開されていません。しばらくしてからもう一度お試しください。",
    how_to: "フィードを開くとここで読めます。購読するには、いずれかの形式のURLをフィードリーダーに登録してください。",
    last_change: "最終更新",
    no_stories: "記事はまだありません",
    sources: "フィードリーダー用の配信元一覧：",
    all_feeds: "すべてのフィード",
    unauthorized: (
        "トークンが無効です",
        "アドレスに含まれるトークンは無効です。アドレスの送り主に新しいトークンを依頼してください。",
    ),
    forbidden: (
        "許可されていません",
        "このページは他のサイトから開くことができません。アドレスを直接入力してください。",
    ),
    not_found: (
        "見つかりません",
        "このアドレスにページはありません。記事が古すぎるか、アドレスに誤りがある可能性があります。",
    ),
    failed: (
        "エラー",
        "エラーのためページを表示できません。しばらくしてからもう一度お試しください。",
    ),
};

impl Notices {
    /// The texts for a language tag, by its first part; `None`: the language is unknown.
    fn of(language: &str) -> Option<&'static Self> {
        let primary = language.split('-').next().unwrap_or_default();
        LANGUAGES.iter().find(|texts| texts.code.eq_ignore_ascii_case(primary)).copied()
    }

    /// The texts in the language that the client prefers; English if it prefers none of these.
    pub(super) fn preferred(headers: &HeaderMap) -> &'static Self {
        let mut best: (&Self, u16) = (&ENGLISH, 0);
        for (language, quality) in negotiate::languages(headers) {
            // The first of equals comes first.
            if let Some(texts) = Self::of(language).filter(|_| quality > best.1) {
                best = (texts, quality);
            }
        }
        best.0
    }

    /// Title and text of the page of an error.
    fn error(&self, status: StatusCode) -> (&'static str, &'static str) {
        match status {
            StatusCode::UNAUTHORIZED => self.unauthorized,
            StatusCode::FORBIDDEN => self.forbidden,
            StatusCode::NOT_FOUND => self.not_found,
            _ => self.failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::ACCEPT_LANGUAGE;

    use super::*;

    #[test]
    fn a_client_gets_the_language_that_it_prefers() {
        let code = |accepted: &'static str| {
            let value = HeaderValue::from_static(accepted);
            Notices::preferred(&HeaderMap::from_iter([(ACCEPT_LANGUAGE, value)])).code
        };
        assert_eq!(code("de-CH, en;q=0.8"), "de");
        assert_eq!(code("nl, fr;q=0.3, es;q=0.9"), "es");
        assert_eq!(code("JA"), "ja");
        for accepted in ["", "*", "nl", "de;q=0", "en, de"] {
            assert_eq!(code(accepted), "en", "{accepted:?}");
        }
        assert_eq!(Notices::preferred(&HeaderMap::new()).code, "en");
    }
}
