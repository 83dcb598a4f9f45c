//! Places for connections: how many may be open, what each is doing, and who must go when there
//! are too many or when one takes too long.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Connections over the limit that are open nevertheless, to be told so, and for health.
pub const EXTRA: usize = 8;

/// Times after which a connection must go.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Between requests.
    pub idle: Duration,
    /// From the first byte of a request to the end of its headers.
    pub headers: Duration,
}

/// All open connections.
#[derive(Debug)]
pub struct Places {
    open: Mutex<Vec<Arc<Connection>>>,
    most: usize,
    began: Instant,
}

/// What one connection is doing.
#[derive(Debug)]
pub struct Connection {
    began: Instant,
    /// Whether it is one over the limit.
    crowded: bool,
    /// Milliseconds from the beginning to when it last changed what it does.
    since_ms: AtomicU64,
    /// Whether a request has begun to come in.
    heard: AtomicBool,
    /// Requests that are not answered to the end.
    requests: AtomicUsize,
    /// Those of them whose body is not here.
    bodies: AtomicUsize,
    gone: AtomicBool,
    cut: Notify,
}

/// A request, or its body, under way. Dropping it ends that.
#[derive(Debug)]
pub struct UnderWay {
    connection: Arc<Connection>,
    body: bool,
}

impl Places {
    /// So many places.
    pub fn new(most: usize) -> Places {
        Places { open: Mutex::default(), most, began: Instant::now() }
    }

    /// A place for another connection; somebody who only holds one loses it when none is free.
    /// `None` when all are at work and even the few over the limit are taken.
    pub fn take(&self) -> Option<Arc<Connection>> {
        let mut open = self.lock();
        let mut crowded = false;
        if open.len() >= self.most && !evict(&mut open) {
            if open.len() >= self.most + EXTRA {
                return None;
            }
            crowded = true;
        }
        let connection = Arc::new(Connection::new(self.began, crowded));
        open.push(connection.clone());
        Some(connection)
    }

    /// Lets go of one that only holds a place, if there is one.
    pub fn make_room(&self) {
        evict(&mut self.lock());
    }

    /// The connection has ended.
    pub fn give_back(&self, connection: &Arc<Connection>) {
        self.lock().retain(|open| !Arc::ptr_eq(open, connection));
    }

    /// Ends those that took too long.
    pub fn sweep(&self, patience: Patience) {
        self.lock().retain(|open| {
            let late = open.is_late(patience);
            if late {
                open.end();
            }
            !late
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        // No code panics while it holds the lock, so the list is whole even then.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the connection that has been idle longest, else the one whose request has been coming in
/// longest.
fn evict(open: &mut Vec<Arc<Connection>>) -> bool {
    let holds =
        |connection: &Connection| connection.holds().map(|idle| (!idle, connection.since()));
    let victim =
        open.iter().enumerate().filter_map(|(at, connection)| Some((holds(connection)?, at))).min();
    let Some((_, at)) = victim else { return false };
    open.swap_remove(at).end();
    true
}

impl Connection {
    fn new(began: Instant, crowded: bool) -> Connection {
        let connection = Connection {
            began,
            crowded,
            since_ms: AtomicU64::new(0),
            heard: AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            bodies: AtomicUsize::new(0),
            gone: AtomicBool::new(false),
            cut: Notify::new(),
        };
        connection.changed();
        connection
    }

    /// Whether it is one over the limit, for health only.
    pub fn is_crowded(&self) -> bool {
        self.crowded
    }

    /// Whether it was told to end.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Returns when it must end.
    pub async fn cut(&self) {
        self.cut.notified().await;
    }

    /// Bytes came in between requests.
    pub fn hears(&self) {
        let idle = self.requests.load(Ordering::Relaxed) == 0;
        if idle && !self.heard.swap(true, Ordering::Relaxed) {
            self.changed();
        }
    }

    /// A request is here, perhaps without its body.
    pub fn request(self: &Arc<Self>) -> UnderWay {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.heard.store(false, Ordering::Relaxed);
        self.changed();
        UnderWay { connection: self.clone(), body: false }
    }

    /// A body is coming in.
    pub fn body(self: &Arc<Self>) -> UnderWay {
        self.bodies.fetch_add(1, Ordering::Relaxed);
        UnderWay { connection: self.clone(), body: true }
    }

    fn end(&self) {
        self.gone.store(true, Ordering::Release);
        self.cut.notify_one();
    }

    /// Whether it does nothing but hold its place: `true` between requests, `false` while one comes
    /// in.
    fn holds(&self) -> Option<bool> {
        if self.requests.load(Ordering::Relaxed) == 0 {
            return Some(!self.heard.load(Ordering::Relaxed));
        }
        (self.bodies.load(Ordering::Relaxed) > 0).then_some(false)
    }

    fn is_late(&self, patience: Patience) -> bool {
        if self.requests.load(Ordering::Relaxed) > 0 {
            // A body has its own time limit, where it is read.
            return false;
        }
        let heard = self.heard.load(Ordering::Relaxed);
        let most = if heard { patience.headers } else { patience.idle };
        self.began.elapsed().saturating_sub(self.since()) >= most
    }

    fn since(&self) -> Duration {
        Duration::from_millis(self.since_ms.load(Ordering::Relaxed))
    }

    fn changed(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since_ms.store(now, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.body {
            self.connection.bodies.fetch_sub(1, Ordering::Relaxed);
        } else {
            self.connection.requests.fetch_sub(1, Ordering::Relaxed);
            self.connection.changed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_idle_goes_first_then_who_is_slow_and_who_is_at_work_stays() {
        let places = Places::new(3);
        let take = || places.take().expect("there is a place");
        let (working, slow, idle) = (take(), take(), take());
        let _request = working.request();
        let _another = slow.request();
        let _body = slow.body();
        let first = take();
        assert!(idle.is_gone() && !slow.is_gone() && !working.is_gone());
        let _first = first.request();
        let second = take();
        assert!(slow.is_gone() && !working.is_gone() && !first.is_gone());
        let _second = second.request();
        // All are at work: a few more are let in to be told so.
        let extra: Vec<_> = (0..EXTRA).map(|_| take()).collect();
        assert!(!second.is_crowded() && extra.iter().any(|extra| extra.is_crowded()));
        let _busy: Vec<_> = extra.iter().map(|extra| extra.request()).collect();
        places.give_back(&working);
        assert!(places.take().is_some());
    }

    #[test]
    fn who_takes_too_long_goes_and_who_is_at_work_stays() {
        let places = Places::new(9);
        let take = || places.take().expect("there is a place");
        let (idle, slow, working) = (take(), take(), take());
        slow.hears();
        let _request = working.request();
        let long = Duration::from_secs(60);
        places.sweep(Patience { idle: long, headers: Duration::ZERO });
        assert_eq!([idle.is_gone(), slow.is_gone(), working.is_gone()], [false, true, false]);
        places.sweep(Patience { idle: Duration::ZERO, headers: long });
        assert_eq!([idle.is_gone(), working.is_gone()], [true, false]);
    }
}
