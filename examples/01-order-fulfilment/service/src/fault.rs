//! What is broken on demand: each service is up, down, slow or held.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::ledger::Service;

/// How long a slow service thinks before it does anything.
const SLOW: Duration = Duration::from_secs(3);

/// How a service behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    /// As it should.
    Up,
    /// Answers 503 and does nothing.
    Down,
    /// Waits three seconds first.
    Slow,
    /// Waits until the mode changes.
    Held,
}

/// The modes of all services. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Faults {
    modes: watch::Sender<[Mode; Service::ALL.len()]>,
}

/// A service that is down.
pub(crate) struct Down;

impl Mode {
    const ALL: [(&'static str, Mode); 4] =
        [("up", Mode::Up), ("down", Mode::Down), ("slow", Mode::Slow), ("held", Mode::Held)];

    fn word(self) -> &'static str {
        match self {
            Mode::Up => "up",
            Mode::Down => "down",
            Mode::Slow => "slow",
            Mode::Held => "held",
        }
    }
}

impl Faults {
    /// Everything is up.
    pub(crate) fn none() -> Faults {
        Faults { modes: watch::Sender::new([Mode::Up; Service::ALL.len()]) }
    }

    /// Takes `{"payment": "down", ...}`; all of it or nothing. The error is for people.
    pub(crate) fn set(&self, wanted: &Value) -> Result<(), String> {
        let mut modes = *self.modes.borrow();
        let wanted = wanted.as_object().ok_or("not an object")?;
        for (name, mode) in wanted {
            let at = Service::ALL
                .iter()
                .position(|service| service.name() == name)
                .ok_or_else(|| format!("no service {name:?}"))?;
            modes[at] = Mode::ALL
                .iter()
                .find(|(word, _)| mode == word)
                .map(|(_, mode)| *mode)
                .ok_or_else(|| format!("{name} is none of up, down, slow, held"))?;
        }
        self.modes.send_replace(modes);
        Ok(())
    }

    /// Lets a request to a service through, in its own time.
    pub(crate) async fn pass(&self, service: Service) -> Result<(), Down> {
        let mut modes = self.modes.subscribe();
        loop {
            let mode = modes.borrow_and_update()[service as usize];
            match mode {
                Mode::Up => return Ok(()),
                Mode::Down => return Err(Down),
                Mode::Slow => {
                    tokio::time::sleep(SLOW).await;
                    return Ok(());
                }
                Mode::Held => {
                    // The sender is held by `self`, so there is always a change to wait for.
                    if modes.changed().await.is_err() {
                        return Err(Down);
                    }
                }
            }
        }
    }

    /// `{"payment": "up", ...}`
    pub(crate) fn to_json(&self) -> Value {
        let modes = *self.modes.borrow();
        Service::ALL
            .into_iter()
            .map(|service| (service.name(), json!(modes[service as usize].word())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_held_request_goes_on_when_the_mode_changes() {
        let faults = Faults::none();
        faults.set(&json!({"stock": "held"})).expect("a mode");
        let waiting = tokio::spawn({
            let faults = faults.clone();
            async move { faults.pass(Service::Stock).await.is_ok() }
        });
        assert!(faults.pass(Service::Payment).await.is_ok());
        faults.set(&json!({"stock": "up"})).expect("a mode");
        assert!(waiting.await.expect("no panic"));
    }

    #[tokio::test]
    async fn a_mode_that_is_none_changes_nothing() {
        let faults = Faults::none();
        for wanted in [
            json!({"payment": "down", "gold": "up"}),
            json!({"payment": "down", "stock": "broken"}),
            json!([]),
        ] {
            assert!(faults.set(&wanted).is_err(), "{wanted}");
        }
        assert_eq!(faults.to_json(), json!({"payment": "up", "stock": "up", "carrier": "up"}));
        faults.set(&json!({"payment": "down"})).expect("a mode");
        assert!(faults.pass(Service::Payment).await.is_err());
    }
}
