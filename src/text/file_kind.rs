//! What a document is that is not what was expected, for messages: the first bytes of an image, a program or a compressed
//! file, and pages of bot protections that ask a browser to prove itself, recognised by their text.

/// Number of bytes that are examined.
const EXAMINED: usize = 512;

/// First bytes of common kinds of files, with a name and an article.
const MARKS: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"OggS", "a sound or film"),
    (b"ID3", "a sound or film"),
];

/// The kind of a file by its first bytes, with an article; `None`: unknown.
#[must_use]
pub fn known(bytes: &[u8]) -> Option<&'static str> {
    MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(_, kind)| *kind)
}

/// The kind of a file that is no text, with an article; `None`: it may be text.
#[must_use]
pub fn binary(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(EXAMINED)];
    let is_wide = utf16(head).is_some() || head.starts_with(b"\0\0\xfe\xff");
    known(head).or((head.contains(&0) && !is_wide).then_some("a binary file"))
}

/// "text in UTF-16", with or without a byte order mark; `None`: it is not.
#[must_use]
pub fn utf16(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(EXAMINED) & !1];
    let has_mark = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    // Every second byte of Latin letters is zero.
    let zeros = |at: usize| head.iter().skip(at).step_by(2).all(|byte| *byte == 0);
    let letters = |at: usize| head.iter().skip(at).step_by(2).all(|byte| *byte != 0);
    let is_wide = head.len() > 2 && (zeros(0) && letters(1) || letters(0) && zeros(1));
    (has_mark || is_wide).then_some("text in UTF-16")
}

/// Number of bytes of a page that are examined for a challenge.
const EXAMINED_FOR_CHALLENGE: usize = 64 * 1024;

/// Texts in lower case that only such pages contain. Names of scripts that protections add to ordinary pages too
/// are not among them.
const CHALLENGE_MARKS: &[&str] = &[
    // Cloudflare.
    "_cf_chl_opt",
    "cf-browser-verification",
    "<title>just a moment...</title>",
    "<title>attention required! | cloudflare</title>",
    "checking your browser before accessing",
    // DDoS-Guard.
    "<title>ddos-guard</title>",
    "check.ddos-guard.net",
    // Sucuri, Imperva, DataDome, HUMAN, Akamai.
    "sucuri_cloudproxy_js",
    "_incapsula_resource",
    "captcha-delivery.com",
    "px-captcha",
    "sec-if-cpt-container",
    // AWS WAF.
    "awswafcookiedomainlist",
    "awswafintegration",
    "window.gokuprops",
    // Anubis, go-away.
    "anubis_challenge",
    "/.within.website/x/cmd/anubis",
    "/.well-known/.git.gammaspectra.live",
    // SiteGround, Imunify360, BunkerWeb, Vercel, hosts without charge.
    "/.well-known/sgcaptcha",
    "<title>robot challenge screen</title>",
    "imunify360-webshield",
    "<title>bot detection</title>",
    "<title>vercel security checkpoint</title>",
    "slowaes.decrypt",
    "<title>one moment, please...</title>",
    "<title>verifying your browser",
    "<title>verify you are human",
];

/// Whether a document is the page of a bot protection.
#[must_use]
pub fn is_challenge(document: &[u8]) -> bool {
    let head = &document[..document.len().min(EXAMINED_FOR_CHALLENGE)];
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    CHALLENGE_MARKS.iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_taken_for_a_binary_file() {
        for text in ["", "version = 1\n", "<rss>", "\u{feff}{}", "BZ = 1", "Grüße", "ID: x"] {
            assert_eq!((binary(text.as_bytes()), utf16(text.as_bytes())), (None, None), "{text}");
        }
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for text in ["version = 1", "\u{feff}Grüße", "\u{feff}日本"] {
            let wide = wide(text);
            assert_eq!((binary(&wide), utf16(&wide)), (None, Some("text in UTF-16")), "{text}");
        }
    }

    #[test]
    fn binary_files_are_named() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\n\0\0"[..], "a PNG image"),
            (b"\x7fELF\x02\x01", "a program"),
            (b"\x1f\x8b\x08", "a gzip file"),
            (b"abc\0\x01\x02", "a binary file"),
        ] {
            assert_eq!(binary(bytes), Some(kind));
        }
    }

    #[test]
    fn pages_of_bot_protections_are_recognised() {
        for page in [
            "<!DOCTYPE html><html><head><title>Just a moment...</title>",
            "<html><script>window._cf_chl_opt={cvId:'3'}</script>",
            "<html><script src='/_Incapsula_Resource?x=1'></script>",
            "<script id=\"anubis_challenge\" type=\"application/json\">{}</script>",
            "<script>document.cookie=\"__test=\"+toHex(slowAES.decrypt(c,2,a,b))</script>",
            "<meta http-equiv=refresh content='0;/.well-known/sgcaptcha/?r=%2Ffeed'>",
        ] {
            assert!(is_challenge(page.as_bytes()), "{page}");
        }
        for page in [
            "<html><title>A blog about Cloudflare</title><script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script>",
            "<html><title>Login</title>",
            "",
        ] {
            assert!(!is_challenge(page.as_bytes()), "{page}");
        }
    }
}
