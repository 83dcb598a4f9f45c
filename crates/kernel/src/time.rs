//! Record time: microseconds since 1970-01-01T00:00:00Z, never a clock.

use onex_expr::Value;

/// A point in record time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// This many milliseconds later.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Micros {
        Micros(self.0.saturating_add(ms.saturating_mul(1000)))
    }

    /// As an expression sees it.
    pub fn to_value(self) -> Value {
        Value::Timestamp {
            seconds: (self.0 / 1_000_000) as i64,
            nanos: (self.0 % 1_000_000) as u32 * 1000,
        }
    }
}
