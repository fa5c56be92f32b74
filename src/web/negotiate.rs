//! Which content coding a request gets, RFC 9110 12.5.3: pure.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

use crate::publish::Coding;

/// In the order that we like them, where the client likes them alike.
const OURS: [Coding; 3] = [Coding::Brotli, Coding::Gzip, Coding::Identity];

/// The coding that the client likes best; as it is where it says nothing, or refuses everything.
pub(super) fn coding(headers: &HeaderMap) -> Coding {
    let mut offers = [None; OURS.len()];
    let mut any = None;
    for line in headers.get_all(ACCEPT_ENCODING) {
        for (name, quality) in line.to_str().unwrap_or_default().split(',').filter_map(offer) {
            if name == "*" {
                any = Some(quality);
            }
            for (ours, offer) in OURS.iter().zip(&mut offers) {
                if is_named(*ours, name) {
                    *offer = Some(quality);
                }
            }
        }
    }
    let mut best = (Coding::Identity, 0);
    for (coding, offer) in OURS.into_iter().zip(offers) {
        // Without a word identity is acceptable, but only when nothing better is.
        let unsaid = any.unwrap_or(u16::from(coding == Coding::Identity));
        let quality = offer.unwrap_or(unsaid);
        if quality > best.1 {
            best = (coding, quality);
        }
    }
    best.0
}

fn is_named(coding: Coding, name: &str) -> bool {
    let ours = coding.name().unwrap_or("identity");
    // RFC 9110 8.4.1.3: x-gzip is gzip.
    name.eq_ignore_ascii_case(ours)
        || (coding == Coding::Gzip && name.eq_ignore_ascii_case("x-gzip"))
}

/// `gzip;q=0.8`: the name, and the quality in thousandths.
fn offer(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    // What is no number is a broken client's wish, and refused rather than guessed.
    let quality = weight.map_or(1.0, |weight| weight.trim().parse::<f32>().unwrap_or(0.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let thousandths = (quality.clamp(0.0, 1.0) * 1000.0).round() as u16;
    Some((name, thousandths))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(lines: &[&'static str]) -> Coding {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, line.parse().unwrap());
        }
        coding(&headers)
    }

    #[test]
    fn the_client_gets_what_it_likes_best() {
        assert_eq!(asked(&["gzip, br"]), Coding::Brotli);
        assert_eq!(asked(&["gzip, deflate"]), Coding::Gzip);
        assert_eq!(asked(&["br;q=0.5, gzip;q=0.8"]), Coding::Gzip);
        assert_eq!(asked(&["br;q=0, X-GZIP"]), Coding::Gzip);
        assert_eq!(asked(&["gzip", "br"]), Coding::Brotli, "two lines are one list");
        assert_eq!(asked(&["identity;q=1, gzip;q=0.5"]), Coding::Identity);
    }

    #[test]
    fn a_star_stands_for_what_is_not_named() {
        assert_eq!(asked(&["*"]), Coding::Brotli);
        assert_eq!(asked(&["br;q=0, *"]), Coding::Gzip);
        assert_eq!(asked(&["*;q=0, gzip"]), Coding::Gzip);
    }

    #[test]
    fn who_says_nothing_or_nonsense_gets_it_as_it_is() {
        for line in ["", "zstd", "gzip;q=abc", "gzip;q=0", ";;;,,,q=", "identity;q=0", "gzip;q=NaN"]
        {
            assert_eq!(asked(&[line]), Coding::Identity, "{line}");
        }
        assert_eq!(asked(&[]), Coding::Identity);
    }
}
