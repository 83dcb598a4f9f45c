//! A simulated disk: what was synced and what was not are kept apart, and it can fail.
//!
//! Deterministic: the same calls, faults and seeds give the same bytes. Sectors of 512 bytes are
//! written whole or not at all; unsynced ones survive a power loss in any combination.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;

const SECTOR: usize = 512;

/// A fault that happens at one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails. A sync that fails loses what it should have made durable,
    /// although it can be read until the power is lost.
    Fails,
    /// The operation fails because the disk is full.
    Full,
    /// A sync answers that it is done, and is not.
    SyncLost,
    /// The power is lost during the operation; it and all later ones fail.
    PowerLost,
}

/// A simulated disk; clones are the same disk.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<String, Content>,
    capacity: Option<u64>,
    operations: u64,
    faults: BTreeMap<u64, Fault>,
    off: bool,
}

impl State {
    fn listed(&self, wanted: impl Fn(&str) -> bool) -> Vec<(String, u64)> {
        let files = self.files.iter().filter(|(name, _)| wanted(name));
        files.map(|(name, content)| (name.clone(), content.synced.len() as u64)).collect()
    }
}

#[derive(Clone, Default)]
struct Content {
    synced: Vec<u8>,
    /// Versions of sectors written since the last sync, oldest first.
    unsynced: BTreeMap<usize, Vec<Vec<u8>>>,
    /// Sectors that a sync failed to write: read back until the power is lost, never durable.
    doomed: BTreeMap<usize, Vec<u8>>,
}

impl Memory {
    /// An empty disk without a limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the sum of all file lengths; `create` beyond it finds the disk full.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Number of changing operations so far: create, write, sync, truncate, rename, remove.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets the operation with this number (the first is 0) fail.
    pub fn inject(&self, operation: u64, fault: Fault) {
        self.state().faults.insert(operation, fault);
    }

    /// Loses the power: this disk fails from now on, and the one returned is what is found
    /// when it is back, each unsynced sector in one of the states it was in, chosen by the seed.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        let mut state = self.state();
        state.off = true;
        let mut random = Random(seed);
        // Most crashes leave all or nothing; the mixed ones find the tears.
        let keep_percent = [0, 20, 50, 80, 100][(random.next() % 5) as usize];
        let mut files = BTreeMap::new();
        for (name, content) in &state.files {
            files.insert(name.clone(), content.after_power_loss(&mut random, keep_percent));
        }
        Self(Arc::new(Mutex::new(State { files, capacity: state.capacity, ..State::default() })))
    }

    /// A disk of its own with the same content, synced and unsynced, and no faults.
    #[must_use]
    pub fn copy(&self) -> Self {
        let state = self.state();
        let (files, capacity) = (state.files.clone(), state.capacity);
        Self(Arc::new(Mutex::new(State { files, capacity, ..State::default() })))
    }

    /// Inverts one bit of a file, as a failing medium does.
    ///
    /// # Errors
    /// `NotFound`, or `InvalidInput` beyond the end of the file.
    pub fn flip_bit(&self, name: &str, position: u64, bit: u8) -> io::Result<()> {
        let mut state = self.state();
        let content = state.files.get_mut(name).ok_or(ErrorKind::NotFound)?;
        let position = position as usize;
        if position >= content.synced.len() {
            return Err(ErrorKind::InvalidInput.into());
        }
        content.synced[position] ^= 1 << (bit % 8);
        let (sector, within) = (position / SECTOR, position % SECTOR);
        let versions = content.unsynced.get_mut(&sector).into_iter().flatten();
        for bytes in versions.chain(content.doomed.get_mut(&sector)) {
            bytes[within] ^= 1 << (bit % 8);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a changing operation and says what befalls it.
    fn operation(&self) -> io::Result<(MutexGuard<'_, State>, Option<Fault>)> {
        let mut state = self.state();
        if state.off {
            return Err(power_is_off());
        }
        let number = state.operations;
        state.operations += 1;
        let fault = state.faults.get(&number).copied();
        if fault == Some(Fault::PowerLost) {
            state.off = true;
        }
        Ok((state, fault))
    }

    /// An operation that happens as a whole or not at all.
    fn whole(&self) -> io::Result<MutexGuard<'_, State>> {
        let (state, fault) = self.operation()?;
        match fault {
            None | Some(Fault::SyncLost) => Ok(state),
            Some(fault) => Err(failure(fault)),
        }
    }
}

impl Disk for Memory {
    fn create(&self, name: &str, length: u64) -> io::Result<()> {
        let mut state = self.whole()?;
        if state.files.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let used: u64 = state.files.values().map(|content| content.synced.len() as u64).sum();
        if state.capacity.is_some_and(|capacity| used + length > capacity) {
            return Err(ErrorKind::StorageFull.into());
        }
        let content = Content { synced: vec![0; length as usize], ..Content::default() };
        state.files.insert(name.to_owned(), content);
        Ok(())
    }

    fn write_at(&self, name: &str, position: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut state, fault) = self.operation()?;
        let content = state.files.get_mut(name).ok_or(ErrorKind::NotFound)?;
        if position as usize + bytes.len() > content.synced.len() {
            return Err(ErrorKind::InvalidInput.into());
        }
        // A write that fails may have reached the disk in part.
        content.write(position as usize, bytes);
        match fault {
            None | Some(Fault::SyncLost) => Ok(()),
            Some(fault) => Err(failure(fault)),
        }
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let (mut state, fault) = self.operation()?;
        let content = state.files.get_mut(name).ok_or(ErrorKind::NotFound)?;
        match fault {
            None => content.sync(),
            Some(Fault::PowerLost) => return Err(failure(Fault::PowerLost)),
            Some(fault) => {
                content.doom();
                if fault != Fault::SyncLost {
                    return Err(failure(fault));
                }
            }
        }
        Ok(())
    }

    fn read_at(&self, name: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let state = self.state();
        if state.off {
            return Err(power_is_off());
        }
        let content = state.files.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(content.read(position as usize, into))
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        let mut state = self.whole()?;
        let content = state.files.get_mut(name).ok_or(ErrorKind::NotFound)?;
        if (content.synced.len() as u64) < length {
            return Err(ErrorKind::InvalidInput.into());
        }
        content.truncate(length as usize);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.whole()?;
        let content = state.files.remove(from).ok_or(ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.whole()?;
        state.files.remove(name).ok_or(ErrorKind::NotFound)?;
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let state = self.state();
        if state.off {
            return Err(power_is_off());
        }
        Ok(state.listed(|name| !name.contains('/')))
    }

    fn list_in(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let state = self.state();
        if state.off {
            return Err(power_is_off());
        }
        let inside = |name: &str| name.split_once('/').is_some_and(|(first, _)| first == folder);
        Ok(state.listed(inside))
    }

    fn free(&self) -> io::Result<u64> {
        let state = self.state();
        let used: u64 = state.files.values().map(|content| content.synced.len() as u64).sum();
        Ok(state.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(used)))
    }
}

impl Content {
    fn sector(&self, number: usize) -> Vec<u8> {
        if let Some(bytes) = self.unsynced.get(&number).and_then(|versions| versions.last()) {
            return bytes.clone();
        }
        if let Some(bytes) = self.doomed.get(&number) {
            return bytes.clone();
        }
        let start = number * SECTOR;
        self.synced[start..self.synced.len().min(start + SECTOR)].to_vec()
    }

    fn write(&mut self, position: usize, bytes: &[u8]) {
        let mut written = 0;
        while written < bytes.len() {
            let at = position + written;
            let (number, within) = (at / SECTOR, at % SECTOR);
            let piece = (SECTOR - within).min(bytes.len() - written);
            let mut sector = self.sector(number);
            sector[within..within + piece].copy_from_slice(&bytes[written..written + piece]);
            self.unsynced.entry(number).or_default().push(sector);
            written += piece;
        }
    }

    fn read(&self, position: usize, into: &mut [u8]) -> usize {
        let length = into.len().min(self.synced.len().saturating_sub(position));
        let into = &mut into[..length];
        if length == 0 {
            return 0;
        }
        into.copy_from_slice(&self.synced[position..position + length]);
        let sectors = position / SECTOR..=(position + length - 1) / SECTOR;
        let newest = self.unsynced.range(sectors.clone());
        let newest = newest.filter_map(|(number, versions)| Some((number, versions.last()?)));
        for (number, sector) in self.doomed.range(sectors).chain(newest) {
            let start = number * SECTOR;
            let (from, to) = (start.max(position), (start + sector.len()).min(position + length));
            into[from - position..to - position].copy_from_slice(&sector[from - start..to - start]);
        }
        length
    }

    fn sync(&mut self) {
        for (number, versions) in std::mem::take(&mut self.unsynced) {
            self.doomed.remove(&number);
            if let Some(sector) = versions.last() {
                let start = number * SECTOR;
                self.synced[start..start + sector.len()].copy_from_slice(sector);
            }
        }
    }

    fn doom(&mut self) {
        for (number, mut versions) in std::mem::take(&mut self.unsynced) {
            if let Some(sector) = versions.pop() {
                self.doomed.insert(number, sector);
            }
        }
    }

    fn truncate(&mut self, length: usize) {
        self.sync();
        self.synced.truncate(length);
        self.doomed.split_off(&length.div_ceil(SECTOR));
        if let Some(sector) = self.doomed.get_mut(&(length / SECTOR)) {
            sector.truncate(length % SECTOR);
        }
    }

    fn after_power_loss(&self, random: &mut Random, keep_percent: u64) -> Self {
        let mut synced = self.synced.clone();
        for (number, versions) in &self.unsynced {
            if random.next() % 100 >= keep_percent {
                continue;
            }
            let last = versions.len() as u64 - 1;
            let version =
                if random.next().is_multiple_of(4) { random.next() % (last + 1) } else { last };
            let sector = &versions[version as usize];
            synced[number * SECTOR..number * SECTOR + sector.len()].copy_from_slice(sector);
        }
        Self { synced, ..Self::default() }
    }
}

fn failure(fault: Fault) -> io::Error {
    match fault {
        Fault::Full => ErrorKind::StorageFull.into(),
        Fault::PowerLost => power_is_off(),
        Fault::Fails | Fault::SyncLost => io::Error::other("injected failure"),
    }
}

fn power_is_off() -> io::Error {
    io::Error::other("power is off")
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough to choose which sectors survive.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
