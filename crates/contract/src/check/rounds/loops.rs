//! The cycles of a graph.

/// For each cycle of a graph all that is on it, in order: what leads to each other (the strongly
/// connected components, after Kosaraju), without what only leads on.
pub(super) fn loops(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); next.len()];
    for (at, next) in next.iter().enumerate() {
        next.iter().for_each(|to| before[*to].push(at));
    }
    let mut seen = vec![false; next.len()];
    let mut order = Vec::with_capacity(next.len());
    for start in 0..next.len() {
        follow(start, next, &mut seen, &mut order);
    }
    let mut seen = vec![false; next.len()];
    let mut found = Vec::new();
    for start in order.into_iter().rev() {
        let mut group = Vec::new();
        follow(start, &before, &mut seen, &mut group);
        group.sort_unstable();
        let round = group.len() > 1 || group.iter().any(|at| next[*at].contains(at));
        found.extend(Some(group).filter(|_| round));
    }
    found.sort();
    found
}

/// Adds what is reached and new, each after all that it leads to.
fn follow(start: usize, next: &[Vec<usize>], seen: &mut [bool], order: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut open = vec![(start, 0)];
    while let Some((at, done)) = open.pop() {
        match next[at].get(done) {
            Some(&to) => {
                open.push((at, done + 1));
                if !std::mem::replace(&mut seen[to], true) {
                    open.push((to, 0));
                }
            }
            None => order.push(at),
        }
    }
}
