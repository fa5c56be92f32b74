//! The secret that opens an output to its subscribers: compared in constant time, shown to nobody.

use std::fmt;

use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

/// What a subscriber must know. Stands in no log, page or message.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes the secret as it is.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Whether `offered` is the secret, in a time that tells nothing of how much of it is right.
    #[must_use]
    pub fn opens(&self, offered: &[u8]) -> bool {
        // Hashes have one length, and nobody can choose two that differ late.
        let (ours, theirs) = (Sha256::digest(self.0.as_bytes()), Sha256::digest(offered));
        let differing = ours.iter().zip(theirs.iter()).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(differing) == 0
    }

    /// `token=…`: what follows the `?` of an address that a subscriber may have.
    #[must_use]
    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).append_pair("token", &self.0).finish()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_opens_and_it_is_never_shown() {
        let token = Token::new("s3cret & more".to_owned());
        assert!(token.opens(b"s3cret & more"));
        for wrong in ["", "s3cret & mor", "s3cret & more ", "S3cret & more"] {
            assert!(!token.opens(wrong.as_bytes()), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "***");
        assert_eq!(token.query(), "token=s3cret+%26+more");
    }
}
