use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::branch::Guarded;

/// A thread that runs [`super::Driver::prepare`] while the engine computes.
///
/// Drivers travel to it and back, so that nobody shares them. What it has not
/// begun when the pass is over the scheduler does itself: on a busy machine a
/// thread may take longer to wake than a small model takes to compute.
pub(super) struct Helper {
    desk: Arc<Desk>,
}

#[derive(Default)]
struct Desk {
    papers: Mutex<Papers>,
    changed: Condvar,
}

#[derive(Default)]
struct Papers {
    /// Drivers to prepare, with their place among all.
    todo: Vec<(usize, Guarded)>,
    done: Vec<(usize, Guarded)>,
    /// The helper has taken a driver it has not put back.
    busy: bool,
    over: bool,
}

/// Drivers that come back from the helper, in the order they went.
#[derive(Default)]
pub(super) struct Prepared {
    pub drivers: Vec<Guarded>,
    /// How many of them were ready when the pass was over.
    pub in_time: usize,
}

impl Helper {
    pub fn start() -> Self {
        let desk = Arc::new(Desk::default());
        let shared = Arc::clone(&desk);
        thread::Builder::new()
            .name("engine-prepare".to_owned())
            .spawn(move || shared.serve())
            .expect("the operating system starts one thread per engine");
        Self { desk }
    }

    /// Runs `pass` here while the drivers prepare there; gives both back.
    pub fn during<T>(&self, drivers: Vec<Guarded>, pass: impl FnOnce() -> T) -> (T, Prepared) {
        if drivers.is_empty() {
            return (pass(), Prepared::default());
        }
        self.desk.lock().todo = drivers.into_iter().enumerate().collect();
        self.desk.changed.notify_all();
        let outcome = pass();
        (outcome, self.desk.finish())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.desk.lock().over = true;
        self.desk.changed.notify_all();
    }
}

impl Desk {
    /// The lock is never held while a driver runs, so nothing can poison it.
    fn lock(&self) -> MutexGuard<'_, Papers> {
        self.papers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, papers: MutexGuard<'a, Papers>) -> MutexGuard<'a, Papers> {
        self.changed
            .wait(papers)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The helper's life.
    fn serve(&self) {
        let mut papers = self.lock();
        while !papers.over {
            let Some((place, mut driver)) = papers.todo.pop() else {
                papers = self.wait(papers);
                continue;
            };
            papers.busy = true;
            drop(papers);
            prepare(&mut driver);
            papers = self.lock();
            papers.done.push((place, driver));
            papers.busy = false;
            self.changed.notify_all();
        }
    }

    /// Does what is left, waits for what the helper holds, and gives all back in
    /// the order they came.
    fn finish(&self) -> Prepared {
        let mut papers = self.lock();
        let in_time = papers.done.len();
        while let Some((place, mut driver)) = papers.todo.pop() {
            drop(papers);
            prepare(&mut driver);
            papers = self.lock();
            papers.done.push((place, driver));
        }
        while papers.busy {
            papers = self.wait(papers);
        }
        let mut done = std::mem::take(&mut papers.done);
        done.sort_by_key(|(place, _)| *place);
        let drivers = done.into_iter().map(|(_, driver)| driver).collect();
        Prepared { drivers, in_time }
    }
}

fn prepare(driver: &mut Guarded) {
    // A panic leaves an empty guard, which the scheduler finds at the next call.
    let _ = driver.call(|driver| driver.prepare());
}
