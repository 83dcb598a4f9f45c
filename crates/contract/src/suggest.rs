//! The known word nearest to an unknown one, for "did you mean".

/// Words longer than this are not compared: nobody mistypes them, and the cost grows with their
/// square.
const CHARACTERS_MAX: usize = 64;

/// The nearest of several words, if it is near enough to be meant: at most one fault in three
/// characters, where capitals, hyphens and underscores are no faults. Of equally near ones the
/// first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(word)?;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let Some(known) = folded(candidate) else {
            continue;
        };
        let faults_max = wanted.len().max(known.len()) / 3;
        if wanted.len().abs_diff(known.len()) > faults_max {
            continue;
        }
        let distance = distance(&wanted, &known);
        if distance <= faults_max && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The question to ask, if some word is near enough.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|known| format!("did you mean `{known}`?"))
}

/// A word without what is no fault; `None` when it is too long to compare.
fn folded(word: &str) -> Option<Vec<char>> {
    if word.len() > CHARACTERS_MAX {
        return None;
    }
    let telling = word.chars().filter(|c| !matches!(c, '_' | '-'));
    Some(telling.flat_map(char::to_lowercase).collect())
}

/// How many insertions, deletions, substitutions and swaps of neighbours turn one word into the
/// other (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let substituted = above[j] + usize::from(left != right);
            let mut least = substituted.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["string", "timeout_ms", "from_state", "from", "id", "in"];

    #[test]
    fn a_mistyped_word_finds_the_one_meant() {
        for (word, meant) in [
            ("strng", "string"),
            ("timeout", "timeout_ms"),
            ("timeoutMs", "timeout_ms"),
            ("FROM-STATE", "from_state"),
            ("form", "from"),
            ("ID", "id"),
        ] {
            assert_eq!(nearest(word, KNOWN.iter().copied()), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_word_that_is_far_from_all_finds_none() {
        let long = "string".repeat(20);
        for word in ["integer", "io", "x", "", "stats", &long] {
            assert_eq!(nearest(word, KNOWN.iter().copied()), None, "{word}");
        }
    }

    #[test]
    fn of_equally_near_words_the_first_is_taken() {
        assert_eq!(nearest("cat1", ["cat2", "cat3"]), Some("cat2"));
        assert_eq!(did_you_mean("cat", ["cut"]).as_deref(), Some("did you mean `cut`?"));
    }
}
