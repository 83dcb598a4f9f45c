//! Patterns of topics: `*` stands for one segment, `**` for any number of them.

/// Whether a topic fits a pattern.
///
/// ```
/// use onex_runtime::query::pattern::fits;
/// assert!(fits("onex.*.shop.**", "onex.evt.shop.order-placed.v1"));
/// assert!(!fits("onex.*.shop", "onex.evt.shop.order-placed.v1"));
/// ```
pub fn fits(pattern: &str, topic: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('.').collect();
    let topic: Vec<&str> = topic.split('.').collect();
    let (mut at, mut seen) = (0, 0);
    let mut last_any: Option<(usize, usize)> = None;
    while seen < topic.len() {
        match pattern.get(at) {
            Some(&"**") => {
                last_any = Some((at, seen));
                at += 1;
            }
            Some(segment) if *segment == "*" || *segment == topic[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                // Let the last `**` take one segment more.
                let Some((any, took)) = last_any else {
                    return false;
                };
                last_any = Some((any, took + 1));
                at = any + 1;
                seen = took + 1;
            }
        }
    }
    pattern[at..].iter().all(|segment| *segment == "**")
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn one_star_is_one_segment_and_two_are_any_number() {
        let cases = [
            ("a.b.c", "a.b.c", true),
            ("a.b.c", "a.b", false),
            ("a.b", "a.b.c", false),
            ("a.*.c", "a.b.c", true),
            ("a.*.c", "a.c", false),
            ("**", "a.b.c", true),
            ("a.**", "a", true),
            ("a.**", "a.b.c", true),
            ("**.c", "a.b.c", true),
            ("**.c", "a.b.d", false),
            ("a.**.c.**.e", "a.b.c.c.d.e", true),
            ("a.**.c.**.e", "a.b.d.e", false),
            ("*", "a.b", false),
        ];
        for (pattern, topic, expected) in cases {
            assert_eq!(fits(pattern, topic), expected, "{pattern} on {topic}");
        }
    }
}
