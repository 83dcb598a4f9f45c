//! Ids of messages, intents, runs and letters: 128 bits, written as a UUID.

use core::fmt;

/// A message, intent, run or letter id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// The id of the `index`-th thing that `node` produced when it consumed `consumed`: the same
    /// delivery gives the same ids again. A version 8 UUID over BLAKE3.
    pub fn derive(consumed: Id, node: &str, generation: u32, index: u32) -> Id {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&consumed.0);
        hasher.update(&generation.to_le_bytes());
        hasher.update(&index.to_le_bytes());
        hasher.update(node.as_bytes());
        Id::from_hash(&hasher)
    }

    /// The id that stands for a text within a namespace, such as an Idempotency-Key of a node.
    pub fn of_text(namespace: &str, text: &str) -> Id {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(namespace.len() as u64).to_le_bytes());
        hasher.update(namespace.as_bytes());
        hasher.update(text.as_bytes());
        Id::from_hash(&hasher)
    }

    /// What stands for a message where several runs hear it: each has an id of its own.
    pub fn heard(message: Id, run: Id) -> Id {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&message.0);
        hasher.update(&run.0);
        Id::from_hash(&hasher)
    }

    fn from_hash(hasher: &blake3::Hasher) -> Id {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
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
    fn every_part_of_a_delivery_tells_ids_apart() {
        let base = Id::derive(Id([1; 16]), "a", 0, 0);
        assert_ne!(base, Id::derive(Id([2; 16]), "a", 0, 0));
        assert_ne!(base, Id::derive(Id([1; 16]), "b", 0, 0));
        assert_ne!(base, Id::derive(Id([1; 16]), "a", 1, 0));
        assert_ne!(base, Id::derive(Id([1; 16]), "a", 0, 1));
        assert_ne!(Id::of_text("ab", "c"), Id::of_text("a", "bc"));
    }
}
