//! A row's key where rows are kept in order: most comparisons end within its first bytes, and need
//! not look at the key itself, which is elsewhere in memory.

use std::borrow::Borrow;
use std::cmp::Ordering;

use crate::RowKey;

/// A row's key with its first bytes at hand. Ordered as the key is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The first bytes as a number, zeros behind a shorter key.
    first: u128,
    key: RowKey,
}

impl Place {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &RowKey {
        &self.key
    }
}

impl From<RowKey> for Place {
    fn from(key: RowKey) -> Self {
        let mut first = [0; size_of::<u128>()];
        let length = key.len().min(first.len());
        first[..length].copy_from_slice(&key[..length]);
        Place { first: u128::from_be_bytes(first), key }
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.first.cmp(&other.first).then_with(|| self.key.cmp(&other.key))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first && self.key == other.key
    }
}

impl Eq for Place {}

impl Borrow<[u8]> for Place {
    fn borrow(&self) -> &[u8] {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered_as_their_keys() {
        let mut keys: Vec<Vec<u8>> = vec![vec![], vec![0], vec![0, 0], vec![0; 16], vec![0; 17]];
        keys.extend([b"a".to_vec(), b"a\0".to_vec(), b"a\0b".to_vec(), b"b".to_vec()]);
        keys.extend([[b"sixteen bytes..".as_slice(), b"z"].concat(), vec![255; 15], vec![255; 40]]);
        for one in &keys {
            for other in &keys {
                let places = [one, other].map(|key| Place::from(RowKey::from(key.as_slice())));
                assert_eq!(places[0].cmp(&places[1]), one.cmp(other), "{one:?} and {other:?}");
                assert_eq!(places[0] == places[1], one == other);
            }
        }
    }
}
