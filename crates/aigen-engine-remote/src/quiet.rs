//! One task that polls both a connection and whoever waits for what it brings. Each wakes the other for every
//! part, and so the task, which would poll all of its work once more, from the client's connection down, to find
//! that nothing is left to be done: a wake from within has only what is within polled again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::task::AtomicWaker;

/// As often at most the work within is polled again; what it asks for then has to wait until others had their turn.
const ROUNDS_MAX: u32 = 8;

/// Wakes its task for whatever happens while it is not polled.
pub(crate) struct Quiet {
    bell: Arc<Bell>,
    /// Rings it.
    waker: Waker,
}

#[derive(Default)]
struct Bell {
    task: AtomicWaker,
    is_polled: AtomicBool,
    rung: AtomicBool,
}

impl Default for Quiet {
    fn default() -> Self {
        let bell = Arc::<Bell>::default();
        let waker = Arc::clone(&bell).into();
        Self { bell, waker }
    }
}

impl Quiet {
    /// Polls `heard`; as long as that is pending it has `drive` bring on what is heard. What `heard` asks of
    /// `drive` is done by it at once, so that only what comes up while it is driven is a reason to poll again.
    pub fn poll<T>(
        &self,
        task: &mut Context<'_>,
        mut heard: impl FnMut(&mut Context<'_>) -> Poll<T>,
        mut drive: impl FnMut(&mut Context<'_>),
    ) -> Poll<T> {
        let bell = &*self.bell;
        let mut within = Context::from_waker(&self.waker);
        bell.task.register(task.waker());
        bell.is_polled.store(true, Ordering::SeqCst);
        let mut outcome = heard(&mut within);
        for _ in 0..ROUNDS_MAX {
            if outcome.is_ready() {
                break;
            }
            bell.rung.store(false, Ordering::SeqCst);
            drive(&mut within);
            outcome = heard(&mut within);
            if !bell.rung.load(Ordering::SeqCst) {
                break;
            }
        }
        // In this order: whoever rings before the first is seen by the second.
        bell.is_polled.store(false, Ordering::SeqCst);
        match outcome.is_ready() {
            // Nobody waits.
            true => drop(bell.task.take()),
            false if bell.rung.load(Ordering::SeqCst) => task.waker().wake_by_ref(),
            false => {}
        }
        outcome
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        if !self.is_polled.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::sync::atomic::AtomicU32;

    /// A task that counts how often it is woken.
    #[derive(Default)]
    struct Task(AtomicU32);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// At which number of drives something is heard, whether each drive rings; drives, wakes of the task, and
    /// whether something was heard.
    #[test]
    fn a_wake_from_within_is_no_wake_of_the_task() {
        for (heard_at, rings, drives, wakes, is_heard) in [
            (0, false, 0, 0, true),
            (1, false, 1, 0, true),
            (1, true, 1, 0, true),
            (3, true, 3, 0, true),
            (3, false, 1, 0, false),
            // It is not done after many rounds, and goes on behind others.
            (u32::MAX, true, ROUNDS_MAX, 1, false),
        ] {
            let (task, quiet, driven) = (Arc::<Task>::default(), Quiet::default(), Cell::new(0));
            let waker = task.clone().into();
            let outcome = quiet.poll(
                &mut Context::from_waker(&waker),
                |_| match driven.get() >= heard_at {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                },
                |within| {
                    driven.set(driven.get() + 1);
                    if rings {
                        within.waker().wake_by_ref();
                    }
                },
            );
            let seen = (
                driven.get(),
                task.0.load(Ordering::SeqCst),
                outcome.is_ready(),
            );
            assert_eq!(seen, (drives, wakes, is_heard), "{heard_at} {rings}");
        }
    }

    #[test]
    fn what_happens_meanwhile_wakes_the_task_that_waits() {
        let (task, quiet, kept) = (Arc::<Task>::default(), Quiet::default(), RefCell::new(None));
        let waker = task.clone().into();
        let poll = |is_heard: bool| {
            quiet.poll(
                &mut Context::from_waker(&waker),
                |_| match is_heard {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                },
                |within| *kept.borrow_mut() = Some(within.waker().clone()),
            )
        };
        let ring = || kept.borrow().as_ref().unwrap().wake_by_ref();
        assert!(poll(false).is_pending());
        ring();
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
        assert!(poll(true).is_ready());
        ring();
        assert_eq!(task.0.load(Ordering::SeqCst), 1, "nobody waits");
    }

    #[test]
    fn what_comes_from_another_thread_while_it_is_polled_is_not_lost() {
        let (task, quiet) = (Arc::<Task>::default(), Quiet::default());
        let waker = task.clone().into();
        let driven = Cell::new(0);
        let outcome = quiet.poll(
            &mut Context::from_waker(&waker),
            |_| match driven.get() {
                2 => Poll::Ready(()),
                _ => Poll::Pending,
            },
            |within| {
                driven.set(driven.get() + 1);
                let waker = within.waker().clone();
                std::thread::spawn(move || waker.wake()).join().unwrap();
            },
        );
        assert!(outcome.is_ready());
        assert_eq!(task.0.load(Ordering::SeqCst), 0);
    }
}
