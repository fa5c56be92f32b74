//! XML namespaces, including misspelled, outdated and undeclared ones.

use std::borrow::Cow;

/// Vocabulary of an element. All spellings of a namespace name are the same vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Namespace {
    /// RSS in every version, and names without namespace.
    Rss,
    /// Atom 1.0 and 0.3.
    Atom,
    Rdf,
    /// Dublin Core, elements and terms.
    Dc,
    /// RSS 1.0 module `content`: `content:encoded`.
    Content,
    Itunes,
    Media,
    Podcast,
    /// Podlove Simple Chapters.
    Chapters,
    /// RSS 1.0 module `enclosure`: `enc:enclosure`.
    Enclosures,
    /// Full texts for Yandex, Rambler and Mail.ru.
    FullText,
    /// RSS 1.0 module `syndication`: `sy:updatePeriod`.
    Syndication,
    Slash,
    Wfw,
    Thread,
    FeedBurner,
    /// Feed paging and archiving, RFC 5005.
    History,
    Xhtml,
    /// Names with the prefix `xml`.
    Xml,
    /// Namespace declarations, `xmlns`.
    Xmlns,
    Other,
}

/// Namespace names in lower case, without scheme, `www.`, and trailing `/` and `#`.
const NAMES: &[(&str, Namespace)] = &[
    ("", Namespace::Rss),
    ("backend.userland.com/rss", Namespace::Rss),
    ("backend.userland.com/rss2", Namespace::Rss),
    ("backend.userland.com/rss091", Namespace::Rss),
    ("backend.userland.com/rss092", Namespace::Rss),
    ("blogs.law.harvard.edu/tech/rss", Namespace::Rss),
    ("cyber.law.harvard.edu/rss", Namespace::Rss),
    ("cyber.harvard.edu/rss", Namespace::Rss),
    ("rssboard.org/rss-specification", Namespace::Rss),
    ("purl.org/rss/1.0", Namespace::Rss),
    ("purl.org/net/rss1.1", Namespace::Rss),
    ("my.netscape.com/rdf/simple/0.9", Namespace::Rss),
    ("channel.netscape.com/rdf/simple/0.9", Namespace::Rss),
    ("my.netscape.com/publish/formats/rss-0.91.dtd", Namespace::Rss),
    ("w3.org/2005/atom", Namespace::Atom),
    ("purl.org/atom/ns", Namespace::Atom),
    ("purl.org/echo", Namespace::Atom),
    ("example.com/necho", Namespace::Atom),
    ("w3.org/1999/02/22-rdf-syntax-ns", Namespace::Rdf),
    ("purl.org/dc/elements/1.1", Namespace::Dc),
    ("purl.org/dc/elements/1.0", Namespace::Dc),
    ("purl.org/dc/terms", Namespace::Dc),
    ("purl.org/metadata/dublin_core", Namespace::Dc),
    ("purl.org/rss/1.0/modules/content", Namespace::Content),
    ("itunes.com/dtds/podcast-1.0.dtd", Namespace::Itunes),
    ("example.com/dtds/podcast-1.0.dtd", Namespace::Itunes),
    ("search.yahoo.com/mrss", Namespace::Media),
    ("tools.search.yahoo.com/mrss", Namespace::Media),
    ("podcastindex.org/namespace/1.0", Namespace::Podcast),
    ("github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md", Namespace::Podcast),
    ("podlove.org/simple-chapters", Namespace::Chapters),
    ("purl.oclc.org/net/rss_2.0/enc", Namespace::Enclosures),
    ("news.yandex.ru", Namespace::FullText),
    ("turbo.yandex.ru", Namespace::FullText),
    ("news.rambler.ru", Namespace::FullText),
    ("news.mail.ru", Namespace::FullText),
    ("purl.org/rss/1.0/modules/syndication", Namespace::Syndication),
    ("purl.org/rss/1.0/modules/slash", Namespace::Slash),
    ("wellformedweb.org/commentapi", Namespace::Wfw),
    ("purl.org/syndication/thread/1.0", Namespace::Thread),
    ("rssnamespace.org/feedburner/ext/1.0", Namespace::FeedBurner),
    ("purl.org/syndication/history/1.0", Namespace::History),
    ("w3.org/1999/xhtml", Namespace::Xhtml),
    ("w3.org/xml/1998/namespace", Namespace::Xml),
];

/// Prefixes that are known without declaration.
const PREFIXES: &[(&str, Namespace)] = &[
    ("xml", Namespace::Xml),
    ("xmlns", Namespace::Xmlns),
    ("rss", Namespace::Rss),
    ("atom", Namespace::Atom),
    ("atom10", Namespace::Atom),
    ("atom03", Namespace::Atom),
    ("a10", Namespace::Atom),
    ("rdf", Namespace::Rdf),
    ("dc", Namespace::Dc),
    ("dcterms", Namespace::Dc),
    ("content", Namespace::Content),
    ("itunes", Namespace::Itunes),
    ("media", Namespace::Media),
    ("podcast", Namespace::Podcast),
    ("psc", Namespace::Chapters),
    ("enc", Namespace::Enclosures),
    ("yandex", Namespace::FullText),
    ("turbo", Namespace::FullText),
    ("rambler", Namespace::FullText),
    ("mailru", Namespace::FullText),
    ("sy", Namespace::Syndication),
    ("slash", Namespace::Slash),
    ("wfw", Namespace::Wfw),
    ("thr", Namespace::Thread),
    ("feedburner", Namespace::FeedBurner),
    ("fh", Namespace::History),
    ("xhtml", Namespace::Xhtml),
];

impl Namespace {
    /// The namespace with the name `name`.
    pub(crate) fn of_name(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        let bare = name.split_once("://").map_or(name.as_str(), |(_, rest)| rest);
        let bare = bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches(['/', '#', '?']);
        NAMES
            .iter()
            .find(|(known, _)| *known == bare)
            .map_or(Self::Other, |(_, namespace)| *namespace)
    }

    /// The names that feed-rs reads as this vocabulary, letter by letter; `None` if it reads no such elements.
    fn names_in_feed_rs(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Rss => Some(&["", "http://purl.org/rss/1.0/"]),
            Self::Atom => Some(&["http://www.w3.org/2005/Atom"]),
            Self::Content => Some(&["http://purl.org/rss/1.0/modules/content/"]),
            Self::Dc => Some(&["http://purl.org/dc/elements/1.1/"]),
            Self::Itunes => Some(&["http://www.itunes.com/dtds/podcast-1.0.dtd"]),
            Self::Media => Some(&["http://search.yahoo.com/mrss/"]),
            Self::Podcast => Some(&["https://podcastindex.org/namespace/1.0"]),
            _ => None,
        }
    }

    /// The namespace of an undeclared prefix.
    pub(crate) fn of_prefix(prefix: &str) -> Self {
        let known = PREFIXES.iter().find(|(known, _)| known.eq_ignore_ascii_case(prefix));
        known.map_or(Self::Other, |(_, namespace)| *namespace)
    }
}

/// Maximum number of declarations; looking up a prefix searches all of them.
const MAX_BINDINGS: usize = 256;

/// Declared prefixes, innermost last. The empty prefix is the default namespace.
#[derive(Debug, Default)]
pub(crate) struct Bindings<'a> {
    namespaces: Vec<(&'a str, Namespace)>,
    /// The first declarations with the names as written, including those of the root.
    names: Vec<(&'a str, Cow<'a, str>)>,
    /// Whether feed-rs reads a declared name differently.
    inexact: bool,
}

impl<'a> Bindings<'a> {
    pub(crate) fn len(&self) -> usize {
        self.namespaces.len()
    }

    /// Removes all but the first `len` declarations.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.namespaces.truncate(len);
    }

    pub(crate) fn declare(&mut self, prefix: &'a str, name: Cow<'a, str>) {
        // Namespaces in XML 1.0, 2.2: only the default namespace may have an empty name.
        if !prefix.is_empty() && name.trim().is_empty() {
            self.inexact = true;
            return;
        }
        let declared = Namespace::of_name(&name);
        let read_as =
            if declared == Namespace::Other { Namespace::of_prefix(prefix) } else { declared };
        // feed-rs compares the name as written: a name with references is another one.
        let is_known = |known: &[&str]| known.contains(&&*name) && matches!(name, Cow::Borrowed(_));
        self.inexact |= read_as.names_in_feed_rs().is_some_and(|known| !is_known(known));
        if self.namespaces.len() < MAX_BINDINGS {
            self.namespaces.push((prefix, declared));
        } else {
            self.inexact = true;
        }
        if self.names.len() < MAX_BINDINGS {
            self.names.push((prefix, name));
        }
    }

    /// Whether feed-rs reads all names that were declared so far as the same vocabularies.
    pub(crate) fn are_exact(&self) -> bool {
        !self.inexact
    }

    pub(crate) fn declares(&self, prefix: &str) -> bool {
        self.namespaces.iter().any(|(known, _)| *known == prefix)
    }

    /// The namespace of a prefix; `None` if it is unknown.
    pub(crate) fn namespace_of(&self, prefix: &str) -> Option<Namespace> {
        let declared = self.namespaces.iter().rev().find(|(known, _)| *known == prefix);
        let well_known = || {
            Some(Namespace::of_prefix(prefix)).filter(|namespace| *namespace != Namespace::Other)
        };
        match declared {
            // An unknown name with a well-known prefix is misspelled.
            Some((_, Namespace::Other)) => well_known().or(Some(Namespace::Other)),
            Some((_, namespace)) => Some(*namespace),
            None if prefix.is_empty() => Some(Namespace::Rss),
            None => well_known(),
        }
    }

    /// The namespace name of a tag, as written.
    pub(crate) fn name_of(&self, tag: &str) -> Cow<'a, str> {
        let prefix = tag.split_once(':').map_or("", |(prefix, _)| prefix);
        let found = self.names.iter().rev().find(|(known, _)| *known == prefix);
        found.map_or(Cow::Borrowed(""), |(_, name)| name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_recognised_in_every_spelling() {
        for name in [
            "http://www.w3.org/2005/Atom",
            "https://www.w3.org/2005/atom/",
            "http://purl.org/atom/ns#",
        ] {
            assert_eq!(Namespace::of_name(name), Namespace::Atom, "{name}");
        }
        assert_eq!(Namespace::of_name("http://search.yahoo.com/mrss"), Namespace::Media);
        assert_eq!(
            Namespace::of_name("http://www.itunes.com/DTDs/Podcast-1.0.dtd"),
            Namespace::Itunes
        );
        assert_eq!(Namespace::of_name("http://example.org/mine"), Namespace::Other);
        assert_eq!(Namespace::of_prefix("DC"), Namespace::Dc);
        assert_eq!(Namespace::of_prefix("mine"), Namespace::Other);
    }

    #[test]
    fn only_names_that_feed_rs_reads_are_exact() {
        let are_exact = |prefix: &'static str, name: &'static str| {
            let mut bindings = Bindings::default();
            bindings.declare(prefix, Cow::Borrowed(name));
            bindings.are_exact()
        };
        let all = NAMES.iter().map(|(_, namespace)| *namespace);
        for name in all.filter_map(Namespace::names_in_feed_rs).flatten().copied() {
            assert!(are_exact("", name), "{name}");
            if name.is_empty() {
                continue;
            }
            for other in [
                format!("{name} "),
                format!("{name}#"),
                name.to_uppercase(),
                name.replacen("http", "HTTP", 1),
                name.trim_end_matches('/').to_owned() + "//",
            ] {
                let mut bindings = Bindings::default();
                bindings.declare("p", Cow::Borrowed(&other));
                assert_ne!(Namespace::of_name(&other), Namespace::Other, "{other}");
                assert!(!bindings.are_exact(), "{other}");
            }
        }
        for (prefix, name) in [
            ("", "http://backend.userland.com/rss2"),
            ("content", "http://example.org/wrong"),
            ("content", ""),
            ("c", "https://purl.org/rss/1.0/modules/content"),
        ] {
            assert!(!are_exact(prefix, name), "{prefix}: {name}");
        }
        for (prefix, name) in [("x", "http://example.org/mine"), ("sy", "http://wrong.example/")] {
            assert!(are_exact(prefix, name), "{prefix}: {name}");
        }
    }
}
