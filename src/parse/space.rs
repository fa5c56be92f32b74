//! XML namespaces as feeds write them: right, misspelt, outdated or not at all.

use std::borrow::Cow;

/// Who defines an element. Spellings of one vocabulary are one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    /// RSS in every version, and whatever stands in no namespace.
    Rss,
    /// Atom 1.0 and 0.3.
    Atom,
    Rdf,
    /// Dublin Core, elements and terms.
    Dc,
    /// RSS 1.0 `content`.
    Content,
    Itunes,
    Media,
    Podcast,
    /// RSS 1.0 `syndication`.
    Syndication,
    Slash,
    Wfw,
    Thread,
    FeedBurner,
    /// RFC 5005.
    History,
    Xhtml,
    /// The prefix `xml`.
    Xml,
    /// A declaration, `xmlns` or `xmlns:…`.
    Xmlns,
    Other,
}

/// Namespace names, bare: without scheme, `www.`, trailing `/` and `#`, in lower case.
const NAMES: &[(&str, Space)] = &[
    ("", Space::Rss),
    ("backend.userland.com/rss", Space::Rss),
    ("backend.userland.com/rss2", Space::Rss),
    ("backend.userland.com/rss091", Space::Rss),
    ("backend.userland.com/rss092", Space::Rss),
    ("blogs.law.harvard.edu/tech/rss", Space::Rss),
    ("cyber.law.harvard.edu/rss", Space::Rss),
    ("cyber.harvard.edu/rss", Space::Rss),
    ("rssboard.org/rss-specification", Space::Rss),
    ("purl.org/rss/1.0", Space::Rss),
    ("purl.org/net/rss1.1", Space::Rss),
    ("my.netscape.com/rdf/simple/0.9", Space::Rss),
    ("channel.netscape.com/rdf/simple/0.9", Space::Rss),
    ("my.netscape.com/publish/formats/rss-0.91.dtd", Space::Rss),
    ("w3.org/2005/atom", Space::Atom),
    ("purl.org/atom/ns", Space::Atom),
    ("purl.org/echo", Space::Atom),
    ("example.com/necho", Space::Atom),
    ("w3.org/1999/02/22-rdf-syntax-ns", Space::Rdf),
    ("purl.org/dc/elements/1.1", Space::Dc),
    ("purl.org/dc/elements/1.0", Space::Dc),
    ("purl.org/dc/terms", Space::Dc),
    ("purl.org/metadata/dublin_core", Space::Dc),
    ("purl.org/rss/1.0/modules/content", Space::Content),
    ("itunes.com/dtds/podcast-1.0.dtd", Space::Itunes),
    ("example.com/dtds/podcast-1.0.dtd", Space::Itunes),
    ("search.yahoo.com/mrss", Space::Media),
    ("tools.search.yahoo.com/mrss", Space::Media),
    ("podcastindex.org/namespace/1.0", Space::Podcast),
    ("github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md", Space::Podcast),
    ("purl.org/rss/1.0/modules/syndication", Space::Syndication),
    ("purl.org/rss/1.0/modules/slash", Space::Slash),
    ("wellformedweb.org/commentapi", Space::Wfw),
    ("purl.org/syndication/thread/1.0", Space::Thread),
    ("rssnamespace.org/feedburner/ext/1.0", Space::FeedBurner),
    ("purl.org/syndication/history/1.0", Space::History),
    ("w3.org/1999/xhtml", Space::Xhtml),
    ("w3.org/xml/1998/namespace", Space::Xml),
];

/// Prefixes that need no declaration to be understood.
const PREFIXES: &[(&str, Space)] = &[
    ("xml", Space::Xml),
    ("xmlns", Space::Xmlns),
    ("rss", Space::Rss),
    ("atom", Space::Atom),
    ("atom10", Space::Atom),
    ("atom03", Space::Atom),
    ("a10", Space::Atom),
    ("rdf", Space::Rdf),
    ("dc", Space::Dc),
    ("dcterms", Space::Dc),
    ("content", Space::Content),
    ("itunes", Space::Itunes),
    ("media", Space::Media),
    ("podcast", Space::Podcast),
    ("sy", Space::Syndication),
    ("slash", Space::Slash),
    ("wfw", Space::Wfw),
    ("thr", Space::Thread),
    ("feedburner", Space::FeedBurner),
    ("fh", Space::History),
    ("xhtml", Space::Xhtml),
];

impl Space {
    /// The space that a namespace name stands for.
    pub(crate) fn of_name(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        let bare = name.split_once("://").map_or(name.as_str(), |(_, rest)| rest);
        let bare = bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches(['/', '#', '?']);
        NAMES.iter().find(|(known, _)| *known == bare).map_or(Self::Other, |(_, space)| *space)
    }

    /// The space that a prefix stands for where nobody declared it.
    pub(crate) fn of_prefix(prefix: &str) -> Self {
        let known = PREFIXES.iter().find(|(known, _)| known.eq_ignore_ascii_case(prefix));
        known.map_or(Self::Other, |(_, space)| *space)
    }
}

/// Namespaces in force at one place; each prefix is looked up among them.
const MAX_BINDINGS: usize = 256;

/// Declared prefixes, innermost last; the empty prefix is the default namespace.
#[derive(Debug, Default)]
pub(crate) struct Bindings<'a> {
    spaces: Vec<(&'a str, Space)>,
    /// The first few as written, those of the root among them.
    names: Vec<(&'a str, Cow<'a, str>)>,
}

impl<'a> Bindings<'a> {
    pub(crate) fn len(&self) -> usize {
        self.spaces.len()
    }

    /// Forgets what was declared since there were `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.spaces.truncate(len);
    }

    pub(crate) fn declare(&mut self, prefix: &'a str, name: Cow<'a, str>) {
        if self.spaces.len() < MAX_BINDINGS {
            self.spaces.push((prefix, Space::of_name(&name)));
        }
        if self.names.len() < MAX_BINDINGS {
            self.names.push((prefix, name));
        }
    }

    pub(crate) fn declares(&self, prefix: &str) -> bool {
        self.spaces.iter().any(|(known, _)| *known == prefix)
    }

    /// What a prefix stands for; `None`: nobody knows.
    pub(crate) fn space_of(&self, prefix: &str) -> Option<Space> {
        let declared = self.spaces.iter().rev().find(|(known, _)| *known == prefix);
        let well_known = || Some(Space::of_prefix(prefix)).filter(|space| *space != Space::Other);
        match declared {
            // An unknown name behind a well-known prefix is a misspelt one.
            Some((_, Space::Other)) => well_known().or(Some(Space::Other)),
            Some((_, space)) => Some(*space),
            None if prefix.is_empty() => Some(Space::Rss),
            None => well_known(),
        }
    }

    /// The namespace of the root's tag, as written.
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
    fn a_namespace_is_known_in_every_spelling() {
        for name in [
            "http://www.w3.org/2005/Atom",
            "https://www.w3.org/2005/atom/",
            "http://purl.org/atom/ns#",
        ] {
            assert_eq!(Space::of_name(name), Space::Atom, "{name}");
        }
        assert_eq!(Space::of_name("http://search.yahoo.com/mrss"), Space::Media);
        assert_eq!(Space::of_name("http://www.itunes.com/DTDs/Podcast-1.0.dtd"), Space::Itunes);
        assert_eq!(Space::of_name("http://example.org/mine"), Space::Other);
        assert_eq!(Space::of_prefix("DC"), Space::Dc);
        assert_eq!(Space::of_prefix("mine"), Space::Other);
    }
}
