//! The known word nearest to an unknown one.

/// The nearest of several words, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .find(|candidate| candidate.eq_ignore_ascii_case(word))
}
