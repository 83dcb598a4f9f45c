//! What goes wrong: the troubles of the scenario come true.

use std::sync::Arc;

use onex_engine::Input;
use onex_kernel::Micros;
use onex_store::disk::{Disk, Fault};
use onex_store::{Store, StoreError};

use super::host::Kept;
use super::{Broken, World, chance};
use crate::promise::Violation;
use crate::trouble::Trouble;

impl World {
    /// The troubles whose time has come.
    pub(super) fn troubles_come(&mut self) -> Result<(), Violation> {
        let now = self.now;
        if self.full_until.is_some_and(|until| until <= now) {
            self.full_until = None;
            self.kept.disk.set_capacity(None);
        }
        let troubles = std::mem::take(&mut self.troubles);
        let (due, rest) = troubles.into_iter().partition(|(at, ..)| *at <= now);
        self.troubles = rest;
        let mut due: Vec<(Micros, u64, Trouble)> = due;
        due.sort_by_key(|(at, number, _)| (*at, *number));
        for (_, number, trouble) in due {
            self.trace.note(format!("{} trouble {trouble:?}", now.0));
            self.trouble(number, trouble)?;
        }
        Ok(())
    }

    fn trouble(&mut self, number: u64, trouble: Trouble) -> Result<(), Violation> {
        let now = self.now;
        let disk = &self.kept.disk;
        match trouble {
            Trouble::PowerLost { ahead } => {
                disk.inject(disk.operations() + ahead, Fault::PowerLost)
            }
            Trouble::DiskFails { ahead } => disk.inject(disk.operations() + ahead, Fault::Fails),
            Trouble::SyncLost { ahead, then } => {
                self.damaged = true;
                let at = disk.operations() + ahead;
                disk.inject(at, Fault::SyncLost);
                disk.inject(at + 1 + then, Fault::PowerLost);
            }
            Trouble::Killed => self.gone(),
            Trouble::Stopped => {
                if let Some(host) = &mut self.host
                    && !host.draining
                {
                    host.draining = true;
                    host.arrived.push(Input::Drain);
                }
            }
            Trouble::DiskFull { for_ms } => {
                let files = disk.list().unwrap_or_default();
                disk.set_capacity(Some(files.iter().map(|(_, length)| length).sum()));
                self.full_until = Some(now.plus_ms(for_ms));
            }
            Trouble::ClockJumps { by_ms } => self.skew += by_ms * 1000,
            Trouble::SlowDisk { for_ms, sync_ms } => {
                self.slow = Some((now.plus_ms(for_ms), sync_ms));
            }
            Trouble::Checkpoint => {
                if let Some(host) = &self.host
                    && let Err(error) = host.store.commit()
                    && self.kept.disk.list().is_err()
                {
                    self.process_ended(&error);
                }
            }
            Trouble::BitFlip => self.bit_flips(number)?,
        }
        Ok(())
    }

    /// The process ended because of its disk.
    pub(super) fn process_ended(&mut self, error: &StoreError) {
        self.trace.note(format!("{} ended: {error}", self.now.0));
        let lost = self.kept.disk.list().is_err();
        self.gone();
        if lost {
            self.power_comes_back();
        }
    }

    /// The process is gone, and with it what it held.
    fn gone(&mut self) {
        self.host = None;
        self.in_flight.clear();
        self.clients.host_is_gone(&self.scenario);
        self.start_at = Some(Micros(self.now.0 + 1_000));
    }

    /// What was not synced may be gone, whole or in part.
    pub(super) fn power_comes_back(&mut self) {
        let mut random = chance(&self.scenario, "power", self.starts);
        let disk = self.kept.disk.crash(random.number());
        if let Some(rows) = &self.kept.rows {
            rows.lose(random.index(4));
        }
        if self.full_until.is_none() {
            disk.set_capacity(None);
        }
        self.kept.disk = disk;
    }

    /// The process has drained: its tail is sealed, and it is started again.
    pub(super) fn stop(&mut self) -> Result<(), Broken> {
        if let Some(host) = &self.host {
            host.store.seal().map_err(Broken::Disk)?;
        }
        self.trace.note(format!("{} stopped", self.now.0));
        self.gone();
        Ok(())
    }

    /// A start on a disk on which a bit turned over sees it, or finds everything as it was.
    fn bit_flips(&mut self, number: u64) -> Result<(), Violation> {
        let random = &mut chance(&self.scenario, "flip", number);
        let rows = self.kept.rows.as_ref().map(crate::forgetful::Forgetful::copy);
        let kept = Kept { disk: self.kept.disk.copy(), rows };
        let files = kept.disk.list().unwrap_or_default();
        let files: Vec<_> = files.into_iter().filter(|(_, length)| *length > 0).collect();
        if files.is_empty() {
            return Ok(());
        }
        let (name, length) = random.one_of(&files);
        // Most of a file is empty: the beginning is where it hurts.
        let length = if random.percent(70) { length.min(24 * 1024) } else { length };
        let (position, bit) = (random.below(length), random.below(8) as u8);
        kept.disk.set_capacity(None);
        if kept.disk.flip_bit(&name, position, bit).is_err() {
            return Ok(());
        }
        self.trace.note(format!("flips bit {bit} of {name} at {position}"));
        match kept.open(&self.scenario.troubles.limits, 1_000_000 + number) {
            Err(StoreError::Corrupt { .. } | StoreError::Format { .. }) => Ok(()),
            Err(error) => Err(Violation::new(format!("a flipped bit is told as: {error}"))),
            Ok(store) => {
                let store: Arc<dyn Store> = Arc::new(store);
                self.watch.is_whole_or_tells(&*store)
            }
        }
    }
}
