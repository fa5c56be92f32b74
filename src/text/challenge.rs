//! Pages of bot protections that ask a browser to prove itself, recognised by their text.

/// Number of bytes of a page that are examined.
const EXAMINED: usize = 64 * 1024;

/// Texts in lower case that only such pages contain. Names of scripts that protections add to ordinary pages too
/// are not among them.
const MARKS: &[&str] = &[
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
    let head = &document[..document.len().min(EXAMINED)];
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    MARKS.iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

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
