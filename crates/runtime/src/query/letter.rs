//! Dead letters.

use onex_engine::{codec, key};
use onex_expr::Text;
use onex_kernel::row::{Letter, LetterStatus};
use onex_kernel::{Id, Micros};

use super::{Page, QueryError, Reader, Scan, Visit, pattern};

/// Which dead letters are meant.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this node.
    pub node: Option<Text>,
    /// With this reason's word.
    pub reason: Option<Text>,
    /// About messages whose topic fits this pattern.
    pub topic: Option<Text>,
    /// Written before this time.
    pub before: Option<Micros>,
    /// Standing in one of these; none: wherever they stand.
    pub status: Vec<LetterStatus>,
}

impl Filter {
    /// Whether a letter is meant.
    pub fn takes(&self, letter: &Letter) -> bool {
        let fits = |pattern: &Text| pattern::fits(pattern, &letter.message.topic);
        (self.node.is_none() || self.node == letter.node)
            && self.reason.as_ref().is_none_or(|reason| reason == letter.reason.as_str())
            && self.topic.as_ref().is_none_or(fits)
            && self.before.is_none_or(|before| letter.created_at < before)
            && (self.status.is_empty() || self.status.contains(&letter.status()))
    }
}

impl Reader {
    /// One dead letter.
    pub fn letter(&self, id: Id) -> Result<Letter, QueryError> {
        self.find_letter(id)?
            .ok_or_else(|| QueryError::NotFound(format!("there is no dead letter {id}")))
    }

    /// One dead letter, if it exists.
    pub(super) fn find_letter(&self, id: Id) -> Result<Option<Letter>, QueryError> {
        match self.row(key::letter(id))? {
            Some(row) => Ok(Some(codec::row::read_letter(&row)?)),
            None => Ok(None),
        }
    }

    /// Dead letters, by id.
    pub fn letters(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Letter>, QueryError> {
        let after = match after {
            Some(token) => {
                let id = Id::parse(token).ok_or_else(|| {
                    QueryError::Invalid(format!("`after` is no dead letter's id: {token}"))
                })?;
                Some(key::letter(id).to_vec())
            }
            None => None,
        };
        let scan = Scan { prefix: key::LETTERS, after, limit };
        self.page(
            scan,
            |_, row| {
                let letter = codec::row::read_letter(row)?;
                Ok(filter.takes(&letter).then_some(letter))
            },
            |letter| letter.id.to_string(),
        )
    }

    /// Ids of the letters that a filter takes, oldest first, at most so many; and whether there are
    /// more.
    pub fn letter_ids(&self, filter: &Filter, most: usize) -> Result<(Vec<Id>, bool), QueryError> {
        let mut found = Vec::new();
        let more = self.each(key::LETTERS, None, |_, row| {
            let letter = codec::row::read_letter(row)?;
            if filter.takes(&letter) {
                if found.len() == most {
                    return Ok(Visit::Stop);
                }
                found.push((letter.created_at, letter.offset, letter.id));
            }
            Ok(Visit::Next)
        })?;
        found.sort_unstable();
        Ok((found.into_iter().map(|(_, _, id)| id).collect(), more))
    }
}
