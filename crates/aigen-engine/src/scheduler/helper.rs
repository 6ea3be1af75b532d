use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::branch::Guarded;

/// A thread that runs [`super::Driver::prepare`] while the engine computes.
///
/// Drivers travel to it and back, so that nobody shares them. One round trip
/// costs about 10 µs, which is why there is one thread and not one per pass.
pub(super) struct Helper {
    work: Sender<Vec<Guarded>>,
    done: Receiver<Vec<Guarded>>,
}

impl Helper {
    pub fn start() -> Self {
        let (work, inbox) = channel::<Vec<Guarded>>();
        let (outbox, done) = channel();
        thread::Builder::new()
            .name("engine-prepare".to_owned())
            .spawn(move || {
                for mut drivers in inbox {
                    prepare(&mut drivers);
                    if outbox.send(drivers).is_err() {
                        return;
                    }
                }
            })
            .expect("the operating system starts one thread per engine");
        Self { work, done }
    }

    /// Runs `pass` here while the drivers prepare there; gives both back.
    pub fn during<T>(&self, drivers: Vec<Guarded>, pass: impl FnOnce() -> T) -> (T, Vec<Guarded>) {
        const ALIVE: &str = "the helper catches every panic and lives as long as this channel";
        self.work.send(drivers).expect(ALIVE);
        let outcome = pass();
        (outcome, self.done.recv().expect(ALIVE))
    }
}

fn prepare(drivers: &mut [Guarded]) {
    for driver in drivers {
        // A panic leaves an empty guard, which the scheduler finds at the next call.
        let _ = driver.call(|driver| driver.prepare());
    }
}
