//! Threads that serve connections, each with a runtime of its own. A connection stays with the thread that it
//! was given to, and all that is done for it: threads that share their work wake each other to look for it,
//! which is a sixth of what a call costs that comes alone.

use aigen_node::Mailbox;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

const TICK: Duration = Duration::from_secs(1);

/// Who serves connections. They end when this is dropped.
#[derive(Default)]
pub struct Lanes(Vec<Lane>);

struct Lane {
    runtime: Handle,
    /// Its connections.
    open: Arc<AtomicUsize>,
    /// Dropped, it ends the thread.
    _goes_on: oneshot::Sender<()>,
}

impl Lanes {
    /// So many threads; none: connections are served where they are accepted.
    ///
    /// # Errors
    /// When the operating system has no thread left to give.
    pub fn start(count: usize) -> io::Result<Self> {
        let lanes = (0..count).map(|_| Lane::start());
        lanes.collect::<io::Result<_>>().map(Self)
    }

    /// Has the connection served where there are the fewest.
    ///
    /// # Errors
    /// When the connection cannot be passed on.
    pub(crate) fn serve<F>(
        &self,
        stream: TcpStream,
        serve: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let open = |lane: &&Lane| lane.open.load(Ordering::Relaxed);
        let Some(lane) = self.0.iter().min_by_key(open) else {
            tokio::spawn(serve(stream));
            return Ok(());
        };
        let stream = stream.into_std()?;
        let counted = Counted::of(&lane.open);
        lane.runtime.spawn(async move {
            let _counted = counted;
            match TcpStream::from_std(stream) {
                Ok(stream) => serve(stream).await,
                Err(error) => tracing::warn!(%error, "a connection was not accepted"),
            }
        });
        Ok(())
    }
}

impl Lane {
    fn start() -> io::Result<Self> {
        let (goes_on, ended) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let builder = thread::Builder::new().name("lane".into());
        builder.spawn(move || run(&tell, ended))?;
        Ok(Self {
            runtime: told.recv().map_err(io::Error::other)??,
            open: Arc::default(),
            _goes_on: goes_on,
        })
    }
}

/// Tells where connections are to go, and serves them until it is `ended`.
fn run(tell: &mpsc::Sender<io::Result<Handle>>, ended: oneshot::Receiver<()>) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        // Whoever starts it waits to hear of it.
        Err(error) => return drop(tell.send(Err(error))),
    };
    let _ = tell.send(Ok(runtime.handle().clone()));
    let mailbox = Mailbox::here();
    // A sender that is gone says the same as a message.
    runtime.block_on(async {
        tokio::select! {
            biased;
            _ = ended => {}
            () = mailbox.deliver() => {}
            () = ticking() => {}
        }
    });
    // What still computes off the async threads is waited for by nobody.
    runtime.shutdown_background();
}

/// Keeps a timer that is sooner than nearly all others. Where a thread has gone to sleep without any, tokio has it wake
/// itself, by a system call, for each that it sets until it sleeps again: for half of all calls with 16 connections.
async fn ticking() {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
    }
}

/// One connection, as long as this is there.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn of(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lanes").field(&self.0.len()).finish()
    }
}
