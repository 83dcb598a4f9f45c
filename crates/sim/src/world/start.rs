//! Starts of the host, and what may come of them.

use onex_store::StoreError;
use onex_store::disk::Disk;

use super::World;
use super::host::{Host, NoStart};
use crate::promise::Violation;

impl World {
    pub(super) fn start_if_due(&mut self) -> Result<(), Violation> {
        if self.start_at.is_none_or(|at| at > self.now) {
            return Ok(());
        }
        self.start_at = None;
        self.starts += 1;
        let wall = self.wall();
        match Host::start(&self.kept, &self.scenario, wall, self.starts) {
            Ok(_) if self.kept.disk.list().is_err() => self.lost_at_start(),
            Err(NoStart::Engine(_)) if self.kept.disk.list().is_err() => self.lost_at_start(),
            Ok(host) => {
                self.failed_starts = 0;
                self.trace.note(format!("{} started", self.now.0));
                let store = host.store.clone();
                self.host = Some(host);
                if self.watch.restarted(&*store, self.damaged)? {
                    self.refused = true;
                    return Ok(());
                }
                self.look(&*store)?;
                // Only now: the last frame of the process before may have been durable, unseen.
                self.watch.started(wall);
                Ok(())
            }
            Err(NoStart::Engine(violation)) => Err(violation),
            Err(NoStart::Store(error)) => self.no_start(error),
        }
    }

    fn lost_at_start(&mut self) -> Result<(), Violation> {
        self.trace.note(format!("{} the power is lost at the start", self.now.0));
        self.power_comes_back();
        self.start_at = Some(self.now.plus_ms(300));
        Ok(())
    }

    fn no_start(&mut self, error: StoreError) -> Result<(), Violation> {
        self.trace.note(format!("{} no start: {error}", self.now.0));
        self.failed_starts += 1;
        if self.kept.disk.list().is_err() {
            self.power_comes_back();
        } else if matches!(error, StoreError::Corrupt { .. }) {
            self.refused = self.damaged;
            if !self.damaged {
                return Err(Violation::new(format!("it refuses a disk that is whole: {error}")));
            }
        }
        if self.failed_starts > 100 {
            return Err(Violation::new(format!("it does not start: {error}")));
        }
        self.start_at = Some(self.now.plus_ms(300));
        Ok(())
    }
}
