//! Wakes suspended branches: one thread for the process.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use std::sync::atomic::{AtomicBool, Ordering};

/// Goes off once.
#[derive(Clone, Default)]
pub(super) struct Alarm(Arc<AtomicBool>);

impl Alarm {
    /// Goes off after so long, and then wakes.
    pub fn set(after: Duration, waker: Waker) -> Self {
        let alarm = Self::default();
        let ring = Ring {
            alarm: alarm.clone(),
            waker,
        };
        let due = Due {
            at: Instant::now() + after,
            ring: Waker::from(Arc::new(ring)),
        };
        let timers = TIMERS.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread lives as long as the process.
        let _ = timers.send(due);
        alarm
    }

    pub fn went_off(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub fn go_off(&self) {
        self.0.store(true, Ordering::Release);
    }
}

struct Ring {
    alarm: Alarm,
    waker: Waker,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.alarm.go_off();
        self.waker.wake_by_ref();
    }
}

struct Due {
    at: Instant,
    ring: Waker,
}

static TIMERS: LazyLock<Mutex<Sender<Due>>> = LazyLock::new(|| {
    let (send, receive) = channel();
    thread::Builder::new()
        .name("aigen-timer".to_owned())
        .spawn(move || run(&receive))
        .expect("the operating system starts one thread per process");
    Mutex::new(send)
});

fn run(arrivals: &Receiver<Due>) {
    let (mut waiting, mut rings) = (BinaryHeap::new(), Vec::new());
    loop {
        let left = match waiting.peek() {
            Some(Reverse((at, _))) => Instant::saturating_duration_since(at, Instant::now()),
            None => Duration::MAX,
        };
        match arrivals.recv_timeout(left) {
            Ok(due) => {
                waiting.push(Reverse((due.at, rings.len())));
                rings.push(Some(due.ring));
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some(Reverse((_, number))) = waiting.pop()
                    && let Some(ring) = rings[number].take()
                {
                    ring.wake();
                }
                if waiting.is_empty() {
                    rings.clear();
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
