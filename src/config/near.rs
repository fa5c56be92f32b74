//! The known word that was probably meant. Pure.

/// As many letters may be wrong, missing, too many or changed round.
const SLIPS: usize = 2;

/// The known word that was probably meant: the fewest slips of the finger away, else much alike.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&word, known);
    let near = known.filter_map(|known| {
        let (slips, likeness) = (strsim::osa_distance(&word, known), likeness(known));
        // Of a short word two slips leave nothing to go by.
        let few = slips <= SLIPS && slips * 2 <= known.len() && slips < word.len().max(2);
        (few || likeness > 0.84).then_some((if few { slips } else { SLIPS + 1 }, likeness, known))
    });
    near.min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1))).map(|(.., known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::key;

    /// Every word that is one or two slips away, thinned out.
    fn slips(word: &str) -> Vec<String> {
        let mut found = Vec::new();
        let letters: Vec<char> = word.chars().collect();
        for at in 0..letters.len() {
            let mut missing = letters.clone();
            missing.remove(at);
            let mut doubled = letters.clone();
            doubled.insert(at, letters[at]);
            let mut wrong = letters.clone();
            wrong[at] = if letters[at] == 'x' { 'q' } else { 'x' };
            let mut swapped = letters.clone();
            swapped.swap(at, (at + 1) % letters.len());
            found.extend([missing, doubled, wrong, swapped].map(String::from_iter));
        }
        found
    }

    #[test]
    fn who_slips_once_or_twice_is_told_what_was_meant() {
        let (mut right, mut all) = (0, 0);
        for table in ["schedule", "fetch", "dedupe", "store", "web", "log", "output", "feed"] {
            let known = if table == "feed" { key::feed_names() } else { key::names(table) };
            for name in &known {
                let once = slips(name);
                let twice: Vec<String> =
                    once.iter().step_by(3).flat_map(|slip| slips(slip)).collect();
                for slip in once.iter().chain(twice.iter().step_by(5)) {
                    let apart = strsim::osa_distance(slip, name);
                    if known.contains(&slip.as_str())
                        || apart == 0
                        || apart > SLIPS
                        || name.len() < 4
                    {
                        continue;
                    }
                    all += 1;
                    right += usize::from(nearest(slip, known.iter().copied()) == Some(name));
                }
            }
        }
        assert!(all > 3000, "{all}");
        assert!(right * 100 >= all * 98, "{right} of {all}");
    }

    #[test]
    fn what_is_like_nothing_is_left_alone() {
        let known = || ["id", "url", "title", "tags", "interval"].into_iter();
        for (word, meant) in [
            ("idd", Some("id")),
            ("ulr", Some("url")),
            ("uri", Some("url")),
            ("Interval", Some("interval")),
            ("zzz", None),
            ("x", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(word, known()), meant, "{word}");
        }
    }
}
