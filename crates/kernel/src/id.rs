//! Ids of messages, intents, runs and letters: 128 bits, written as a UUID.

use core::fmt;

/// A message, intent, run or letter id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// The id of the `index`-th thing that `node` produced when it consumed `consumed`: the same
    /// delivery gives the same ids again. A version 8 UUID over BLAKE3.
    pub fn derive(consumed: Id, node: &str, generation: u32, index: u32) -> Id {
        let (generation, index) = (generation.to_le_bytes(), index.to_le_bytes());
        Id::of_parts(&[&consumed.0, &generation, &index, node.as_bytes()])
    }

    /// The id that stands for a text within a namespace, such as an Idempotency-Key of a node.
    pub fn of_text(namespace: &str, text: &str) -> Id {
        let length = (namespace.len() as u64).to_le_bytes();
        Id::of_parts(&[&length, namespace.as_bytes(), text.as_bytes()])
    }

    /// What stands for a message where several runs hear it: each has an id of its own.
    pub fn heard(message: Id, run: Id) -> Id {
        Id::of_parts(&[&message.0, &run.0])
    }

    fn of_parts(parts: &[&[u8]]) -> Id {
        let hash = hash(parts);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Id(bytes)
    }

    /// Reads the hyphenated form, in either case.
    pub fn parse(text: &str) -> Option<Id> {
        let text = text.as_bytes();
        if text.len() != 36 {
            return None;
        }
        let mut bytes = [0; 16];
        let mut at = 0;
        for byte in &mut bytes {
            if matches!(at, 8 | 13 | 18 | 23) {
                if text[at] != b'-' {
                    return None;
                }
                at += 1;
            }
            *byte = hex(text[at])? << 4 | hex(text[at + 1])?;
            at += 2;
        }
        Some(Id(bytes))
    }
}

/// BLAKE3 of parts one after the other. What is short is hashed at once: a hasher that takes it piece
/// by piece is two kilobytes to set up.
pub fn hash(parts: &[&[u8]]) -> blake3::Hash {
    let mut short = [0; 1024];
    let mut end = 0;
    for part in parts {
        let Some(room) = short.get_mut(end..end + part.len()) else {
            let mut hasher = blake3::Hasher::new();
            for part in parts {
                hasher.update(part);
            }
            return hasher.finalize();
        };
        room.copy_from_slice(part);
        end += part.len();
    }
    blake3::hash(&short[..end])
}

/// Two words at once, not sixteen bytes after their count.
impl core::hash::Hash for Id {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.0));
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for byte in self.0 {
            if matches!(at, 8 | 13 | 18 | 23) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn the_text_form_reads_back_as_the_same_id() {
        let id = Id::derive(Id([7; 16]), "order", 1, 2);
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        assert_eq!(Id::parse(&id.to_string().to_uppercase()), Some(id));
        assert_eq!(Id::parse("00000000-0000-0000-0000-00000000000"), None);
        assert_eq!(Id::parse("00000000+0000-0000-0000-000000000000"), None);
    }

    #[test]
    fn what_is_long_is_hashed_like_what_is_short() {
        let parts = [&[1; 1000][..], &[2; 100]];
        assert_eq!(hash(&parts), blake3::hash(&parts.concat()));
        assert_eq!(hash(&parts[..1]), blake3::hash(parts[0]));
    }

    #[test]
    fn every_part_of_a_delivery_tells_ids_apart() {
        let base = Id::derive(Id([1; 16]), "a", 0, 0);
        assert_ne!(base, Id::derive(Id([2; 16]), "a", 0, 0));
        assert_ne!(base, Id::derive(Id([1; 16]), "b", 0, 0));
        assert_ne!(base, Id::derive(Id([1; 16]), "a", 1, 0));
        assert_ne!(base, Id::derive(Id([1; 16]), "a", 0, 1));
        assert_ne!(Id::of_text("ab", "c"), Id::of_text("a", "bc"));
    }
}
