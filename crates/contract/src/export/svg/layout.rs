//! A layered layout from left to right (after Sugiyama): edges that lead back are turned, boxes
//! get a layer, long edges a bend in every layer between, layers an order with few crossings, and
//! boxes a place near their neighbours. The same input gives the same picture.

/// What has a size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub width: f64,
    pub height: f64,
}

/// A place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The middle of each box.
    pub centres: Vec<Point>,
    /// For each edge, the points it goes through, from its first box to its last.
    pub lines: Vec<Vec<Point>>,
    /// The whole.
    pub size: Size,
}

/// Space between boxes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gaps {
    /// Between two layers.
    pub layers: f64,
    /// Between two boxes of a layer.
    pub boxes: f64,
}

/// How often orders and places are improved.
const SWEEPS: usize = 16;

/// Lays out boxes and the edges between them; edges from a box to itself are left out.
pub(super) fn layout(boxes: &[Size], edges: &[(usize, usize)], gaps: Gaps) -> Layout {
    let turned = turned(boxes.len(), edges);
    let forward: Vec<(usize, usize)> = edges
        .iter()
        .zip(&turned)
        .map(|(&(from, to), turned)| if *turned { (to, from) } else { (from, to) })
        .collect();
    let mut layered = Layered::new(boxes, &forward);
    layered.order();
    let mut layout = layered.place(gaps);
    for (line, turned) in layout.lines.iter_mut().zip(&turned) {
        if *turned {
            line.reverse();
        }
    }
    layout
}

/// Which edges must be turned so that none leads round in a circle.
fn turned(count: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut turned = vec![false; edges.len()];
    let mut marks = vec![Mark::New; count];
    for root in 0..count {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        let mut stack = vec![(root, 0)];
        while let Some((at, next)) = stack.pop() {
            let found = edges[next..].iter().position(|(from, _)| *from == at);
            let Some(offset) = found else {
                marks[at] = Mark::Done;
                continue;
            };
            let edge = next + offset;
            stack.push((at, edge + 1));
            let to = edges[edge].1;
            match marks[to] {
                Mark::Open => turned[edge] = to != at,
                Mark::Done => {}
                Mark::New => {
                    marks[to] = Mark::Open;
                    stack.push((to, 0));
                }
            }
        }
    }
    turned
}

/// Boxes and bends in layers.
struct Layered {
    /// Sizes of boxes, then of bends.
    sizes: Vec<Size>,
    /// The layer of each.
    layer: Vec<usize>,
    /// What stands in each layer, in order.
    layers: Vec<Vec<usize>>,
    /// Neighbours in the layer before and after.
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    /// What each edge goes through.
    chains: Vec<Vec<usize>>,
    boxes: usize,
}

impl Layered {
    fn new(boxes: &[Size], edges: &[(usize, usize)]) -> Layered {
        let layer = layers(boxes.len(), edges);
        let mut layered = Layered {
            sizes: boxes.to_vec(),
            layers: vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)],
            layer,
            before: vec![Vec::new(); boxes.len()],
            after: vec![Vec::new(); boxes.len()],
            chains: Vec::new(),
            boxes: boxes.len(),
        };
        for (index, layer) in layered.layer.iter().enumerate() {
            layered.layers[*layer].push(index);
        }
        for &(from, to) in edges {
            let chain = layered.chain(from, to);
            layered.chains.push(chain);
        }
        layered
    }

    fn chain(&mut self, from: usize, to: usize) -> Vec<usize> {
        let mut chain = vec![from];
        if from == to {
            return chain;
        }
        for layer in self.layer[from] + 1..self.layer[to] {
            let bend = self.sizes.len();
            self.sizes.push(Size { width: 0.0, height: 0.0 });
            self.layer.push(layer);
            self.layers[layer].push(bend);
            self.before.push(Vec::new());
            self.after.push(Vec::new());
            chain.push(bend);
        }
        chain.push(to);
        for pair in chain.windows(2) {
            self.after[pair[0]].push(pair[1]);
            self.before[pair[1]].push(pair[0]);
        }
        chain
    }

    /// Orders each layer by the middle of its neighbours; the order with fewest crossings wins.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.layers.clone());
        for sweep in 0..SWEEPS {
            let forward = sweep % 2 == 0;
            let count = self.layers.len();
            for step in 0..count {
                let layer = if forward { step } else { count - 1 - step };
                let neighbours = if forward { &self.before } else { &self.after };
                let places = self.ranks();
                let rank = |index: usize| -> f64 {
                    let near = &neighbours[index];
                    if near.is_empty() {
                        return places[index];
                    }
                    near.iter().map(|other| places[*other]).sum::<f64>() / near.len() as f64
                };
                let mut keyed: Vec<(f64, usize)> =
                    self.layers[layer].iter().map(|index| (rank(*index), *index)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.layers[layer] = keyed.into_iter().map(|(_, index)| index).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.layers.clone());
            }
        }
        self.layers = best.1;
    }

    /// The rank of each in its layer, from 0 to 1, so that layers of any length compare.
    fn ranks(&self) -> Vec<f64> {
        let mut ranks = vec![0.0; self.sizes.len()];
        for layer in &self.layers {
            for (rank, index) in layer.iter().enumerate() {
                ranks[*index] = (rank as f64 + 0.5) / layer.len() as f64;
            }
        }
        ranks
    }

    fn crossings(&self) -> usize {
        let mut rank = vec![0; self.sizes.len()];
        for layer in &self.layers {
            for (at, index) in layer.iter().enumerate() {
                rank[*index] = at;
            }
        }
        let mut count = 0;
        for layer in &self.layers {
            let ends: Vec<(usize, usize)> = layer
                .iter()
                .flat_map(|from| self.after[*from].iter().map(|to| (rank[*from], rank[*to])))
                .collect();
            for (at, a) in ends.iter().enumerate() {
                count += ends[at + 1..].iter().filter(|b| a.0 < b.0 && a.1 > b.1).count();
            }
        }
        count
    }

    fn place(&self, gaps: Gaps) -> Layout {
        let (columns, width) = self.columns(gaps);
        let mut y = vec![0.0; self.sizes.len()];
        for layer in &self.layers {
            let wanted: Vec<f64> = vec![0.0; layer.len()];
            self.settle(layer, &wanted, gaps, &mut y);
        }
        for sweep in 0..SWEEPS {
            let forward = sweep % 2 == 0;
            for step in 0..self.layers.len() {
                let at = if forward { step } else { self.layers.len() - 1 - step };
                let layer = &self.layers[at];
                let wanted: Vec<f64> = layer.iter().map(|index| self.wanted(*index, &y)).collect();
                self.settle(layer, &wanted, gaps, &mut y);
            }
        }
        let top = |index: usize| y[index] - self.sizes[index].height / 2.0;
        let bottom = |index: usize| y[index] + self.sizes[index].height / 2.0;
        let all = 0..self.sizes.len();
        let least = all.clone().map(top).fold(f64::INFINITY, f64::min);
        let most = all.map(bottom).fold(f64::NEG_INFINITY, f64::max);
        let centre =
            |index: usize| Point { x: columns[self.layer[index]].middle, y: y[index] - least };
        let lines = self.chains.iter().map(|chain| self.line(chain, &columns, &centre)).collect();
        let height = if most > least { most - least } else { 0.0 };
        Layout {
            centres: (0..self.boxes).map(centre).collect(),
            lines,
            size: Size { width, height },
        }
    }

    /// The middle of each layer, and the width of all.
    fn columns(&self, gaps: Gaps) -> (Vec<Column>, f64) {
        let mut x = 0.0;
        let mut columns = Vec::new();
        for layer in &self.layers {
            let width = layer.iter().map(|index| self.sizes[*index].width).fold(0.0, f64::max);
            columns.push(Column { middle: x + width / 2.0, width });
            x += width + gaps.layers;
        }
        (columns, (x - gaps.layers).max(0.0))
    }

    /// Where a box would be if it were alone: in the middle of its neighbours.
    fn wanted(&self, index: usize, y: &[f64]) -> f64 {
        let near = self.before[index].iter().chain(&self.after[index]);
        let (sum, count) = near.fold((0.0, 0.0), |(sum, count), at| (sum + y[*at], count + 1.0));
        if count > 0.0 { sum / count } else { y[index] }
    }

    /// Puts the boxes of a layer as near as possible to where they want to be, in their order and
    /// with space between: boxes that would overlap form a block that shares its mean.
    fn settle(&self, layer: &[usize], wanted: &[f64], gaps: Gaps, y: &mut [f64]) {
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(layer.len());
        for (at, index) in layer.iter().enumerate() {
            if at > 0 {
                let above = self.sizes[layer[at - 1]].height;
                offset += (above + self.sizes[*index].height) / 2.0 + gaps.boxes;
            }
            offsets.push(offset);
        }
        // Each block: the sum of what its members want, and how many they are.
        let mut blocks: Vec<(f64, usize)> = Vec::new();
        for (wanted, offset) in wanted.iter().zip(&offsets) {
            blocks.push((wanted - offset, 1));
            while let [.., (a, n), (b, m)] = blocks[..] {
                if a / n as f64 <= b / m as f64 {
                    break;
                }
                blocks.truncate(blocks.len() - 2);
                blocks.push((a + b, n + m));
            }
        }
        let means = blocks.iter().flat_map(|(sum, n)| std::iter::repeat_n(sum / *n as f64, *n));
        for ((index, offset), mean) in layer.iter().zip(&offsets).zip(means) {
            y[*index] = mean + offset;
        }
    }

    /// From the right side of the first box to the left side of the last, level through every
    /// layer between, so that no line cuts a corner of a box beside it.
    fn line(
        &self,
        chain: &[usize],
        columns: &[Column],
        centre: &impl Fn(usize) -> Point,
    ) -> Vec<Point> {
        let mut points = Vec::new();
        for (at, index) in chain.iter().enumerate() {
            let Point { x, y } = centre(*index);
            let half = self.sizes[*index].width / 2.0;
            let Column { middle, width } = columns[self.layer[*index]];
            if at > 0 {
                points.push(Point { x: middle - width / 2.0, y });
            }
            points.push(Point { x: if at == 0 { x + half } else { x - half }, y });
            if at + 1 < chain.len() {
                points.push(Point { x: middle + width / 2.0, y });
            }
        }
        points
    }
}

/// Where a layer stands.
#[derive(Clone, Copy)]
struct Column {
    middle: f64,
    width: f64,
}

/// The layer of each box: after everything that leads to it, and as near as possible to what it
/// leads to.
fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layer = vec![0usize; count];
    // Without circles the longest way has fewer edges than there are boxes.
    for _ in 0..count {
        let mut changed = false;
        for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
            if layer[to] <= layer[from] {
                layer[to] = layer[from] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for index in 0..count {
        let is_source = edges.iter().all(|(from, to)| *to != index || from == to);
        let next = edges.iter().filter(|(from, to)| *from == index && from != to);
        if let Some(nearest) = next.map(|(_, to)| layer[*to]).min().filter(|_| is_source) {
            layer[index] = nearest.saturating_sub(1);
        }
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Size = Size { width: 10.0, height: 10.0 };
    const GAPS: Gaps = Gaps { layers: 20.0, boxes: 5.0 };

    #[test]
    fn what_follows_stands_to_the_right() {
        let laid = layout(&[BOX; 3], &[(0, 1), (1, 2), (0, 2)], GAPS);
        let x: Vec<f64> = laid.centres.iter().map(|centre| centre.x).collect();
        assert_eq!(x, [5.0, 35.0, 65.0]);
        let through: Vec<f64> = laid.lines[2].iter().map(|point| point.x).collect();
        assert_eq!(through, [10.0, 10.0, 30.0, 35.0, 40.0, 60.0, 60.0], "level through a layer");
    }

    #[test]
    fn boxes_of_a_layer_do_not_overlap() {
        let edges: Vec<(usize, usize)> = (1..6).map(|to| (0, to)).collect();
        let laid = layout(&[BOX; 6], &edges, GAPS);
        let mut y: Vec<f64> = laid.centres[1..].iter().map(|centre| centre.y).collect();
        y.sort_by(f64::total_cmp);
        assert!(y.windows(2).all(|pair| pair[1] - pair[0] >= 15.0 - 1e-9), "{y:?}");
        assert_eq!(laid.size.height, 70.0);
    }

    #[test]
    fn a_circle_is_cut_and_its_edge_keeps_its_direction() {
        let laid = layout(&[BOX; 2], &[(0, 1), (1, 0)], GAPS);
        let back = &laid.lines[1];
        assert!(back[0].x > back[back.len() - 1].x);
    }

    #[test]
    fn crossings_are_avoided() {
        let laid = layout(&[BOX; 4], &[(0, 3), (1, 2)], GAPS);
        let above = |a: usize, b: usize| laid.centres[a].y < laid.centres[b].y;
        assert_eq!(above(0, 1), above(3, 2));
    }

    #[test]
    fn nothing_takes_no_space() {
        let laid = layout(&[], &[], GAPS);
        assert_eq!(laid.size, Size { width: 0.0, height: 0.0 });
    }
}
