//! `xml:base` and `xml:lang`: what relative references and languages mean at one place of a document.

use std::borrow::Cow;

use url::Url;

use super::space::Space;
use super::tree::Element;

/// What is in force at an element.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// What relative references resolve against.
    pub(crate) base: Option<Url>,
    /// Whether an `xml:base` set it, and not the address of the document.
    pub(crate) own_base: bool,
    /// BCP 47; empty text ends an inherited language.
    pub(crate) language: Option<String>,
}

impl Scope {
    /// Around the document.
    pub(crate) fn document(url: &Url) -> Self {
        Self { base: Some(url.clone()), ..Self::default() }
    }

    /// Inside `element`. RFC 4287 2, XML Base 3.
    pub(crate) fn enter(&self, element: &Element<'_>) -> Cow<'_, Self> {
        if element.attributes.iter().all(|attribute| attribute.space != Space::Xml) {
            return Cow::Borrowed(self);
        }
        let mut inner = self.clone();
        if let Some(base) = element.attribute_in(Space::Xml, "base") {
            let joined = match &self.base {
                Some(outer) => outer.join(base).ok(),
                None => Url::parse(base).ok(),
            };
            // Only a base that can carry a path is of use.
            if let Some(joined) = joined.filter(|joined| !joined.cannot_be_a_base()) {
                inner.base = Some(joined);
                inner.own_base = true;
            }
        }
        if let Some(language) = element.attribute_in(Space::Xml, "lang") {
            inner.language = (!language.is_empty()).then(|| language.to_owned());
        }
        Cow::Owned(inner)
    }

    /// The absolute form of a reference; as written where none can be made. Empty stays empty.
    pub(crate) fn resolve(&self, reference: &str) -> String {
        let reference = reference.trim();
        // A normalised spelling would be another address for readers that compare by letters.
        if reference.is_empty() || has_scheme(reference) {
            return reference.to_owned();
        }
        let absolute = match &self.base {
            Some(base) => base.join(reference).ok(),
            None => Url::parse(reference).ok(),
        };
        absolute.map_or_else(|| reference.to_owned(), Into::into)
    }

    /// The base for HTML, where it is not that of the document.
    pub(crate) fn html_base(&self) -> Option<String> {
        self.base.as_ref().filter(|_| self.own_base).map(|base| base.as_str().to_owned())
    }
}

/// Whether a reference is absolute already. RFC 3986 3.1.
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    #[test]
    fn bases_build_on_each_other_and_absolute_references_stay_as_written() {
        let document = Scope::document(&Url::parse("https://example.org/feeds/atom.xml").unwrap());
        let tree = scan("<a xml:base='/blog/' xml:lang='de'><b xml:base='2024/'/></a>").unwrap();
        let outer = document.enter(&tree.root);
        let inner = outer.enter(tree.root.elements().next().unwrap());
        assert_eq!(document.resolve("x"), "https://example.org/feeds/x");
        assert_eq!(inner.resolve(" x "), "https://example.org/blog/2024/x");
        assert_eq!(inner.resolve("HTTP://Example.com"), "HTTP://Example.com");
        assert_eq!(inner.resolve("//other.example/a b"), "https://other.example/a%20b");
        assert_eq!(inner.language.as_deref(), Some("de"));
        assert_eq!((document.html_base(), inner.own_base), (None, true));
        assert_eq!(inner.resolve(""), "");
    }
}
