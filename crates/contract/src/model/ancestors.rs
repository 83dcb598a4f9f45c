//! Which steps of a graph must have ended before which others begin.

/// For each step the set of those before it; steps on a cycle are before themselves.
#[derive(Clone, Debug)]
pub(crate) struct Ancestors {
    /// Words of one set: a bit a step.
    words: usize,
    sets: Vec<u64>,
}

impl Ancestors {
    /// Follows what each step waits for directly.
    pub(crate) fn of(direct: &[Vec<usize>]) -> Ancestors {
        let words = direct.len().div_ceil(64);
        let mut all = Ancestors { words, sets: vec![0; words * direct.len()] };
        let order = after_what_they_wait_for(direct);
        // Without a cycle the first pass is enough and the second finds nothing new.
        let mut changed = true;
        while changed {
            changed = false;
            for at in &order {
                changed |= all.extend(*at, &direct[*at]);
            }
        }
        all
    }

    /// Whether `earlier` must have ended before `later` begins.
    pub(crate) fn has(&self, later: usize, earlier: usize) -> bool {
        self.sets[later * self.words + earlier / 64] & (1 << (earlier % 64)) != 0
    }

    /// How many steps must have ended before this one begins.
    pub(crate) fn count(&self, step: usize) -> u32 {
        let set = &self.sets[step * self.words..][..self.words];
        set.iter().map(|word| word.count_ones()).sum()
    }

    /// Adds the steps waited for directly and what is before them; whether anything was new.
    fn extend(&mut self, step: usize, direct: &[usize]) -> bool {
        let mut changed = false;
        for &before in direct {
            for word in 0..self.words {
                let own_bit = if word == before / 64 { 1 << (before % 64) } else { 0 };
                let new = self.sets[before * self.words + word] | own_bit;
                let set = &mut self.sets[step * self.words + word];
                changed |= new & !*set != 0;
                *set |= new;
            }
        }
        changed
    }
}

/// Every step after those it waits for; steps on a cycle come somewhere.
fn after_what_they_wait_for(direct: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(direct.len());
    let mut seen = vec![false; direct.len()];
    for start in 0..direct.len() {
        // A step with how many of those it waits for are done.
        let mut open = vec![(start, 0)];
        while let Some((step, done)) = open.pop() {
            if done == 0 && std::mem::replace(&mut seen[step], true) {
                continue;
            }
            match direct[step].get(done) {
                Some(next) => open.extend([(step, done + 1), (*next, 0)]),
                None => order.push(step),
            }
        }
    }
    order
}
