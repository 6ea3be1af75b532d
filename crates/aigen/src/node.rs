//! The composition root: a data folder, a journal, engines, a node and its gateway, in this
//! process. Nothing else in the program knows which journal and which engine these are.

mod assembled;
mod components;
mod datasets;
mod engines;
mod founding;
mod journal;
mod listen;
mod outside;
mod reload;
mod shelf;
mod signals;
mod snapshots;
mod telemetry;
mod tls;

pub use assembled::Assembled;
pub use components::{COMPILE, host};
pub use engines::{check_options, chosen_model, embedded};
pub use listen::{first_free, listen};
pub use reload::Source;

use crate::config::Config;
use crate::data_dir::{DataDir, Lock};
use crate::output::Output;
use aigen_gateway::{Door, Front, GatewayState, Lanes, Spans};
use aigen_jarvis_host::Images;
use aigen_node::Caller;
use anyhow::{Context, Result, anyhow};
use reload::Reload;
use signals::Signals;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a reader that does not read may delay the end of the process.
const LAST_REPLIES_SECONDS_MAX: u64 = 5;

/// A node and its gateway, running.
pub struct LocalNode {
    assembled: Assembled,
    operator: Caller,
    address: SocketAddr,
    /// Whether it speaks TLS.
    secure: bool,
    /// How long running calls may finish, in seconds.
    grace: Arc<AtomicU64>,
    config_rejected: Arc<AtomicBool>,
    telemetry: Option<Arc<Telemetry>>,
    signals: Signals,
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
    snapshots: JoinHandle<()>,
    reloads: Option<JoinHandle<()>>,
    /// Last, so that the folder is free only when everything else is gone.
    _lock: Lock,
}

impl LocalNode {
    /// Starts everything. `bind` is asked once the data folder is ours. While models are loaded the node
    /// answers already, for the models that are there and how far the others are.
    ///
    /// # Errors
    /// A folder, address, journal or model that cannot be used, each with a way out.
    pub async fn start(
        config: &Config,
        output: &Output,
        bind: impl AsyncFnOnce() -> Result<TcpListener>,
    ) -> Result<Self> {
        let mut signals = Signals::listen()?;
        let data_dir = DataDir::open_or_create(&config.data_dir)?;
        let mut lock = data_dir.lock()?;
        let tls = config.tls.as_ref().map(tls::server).transpose()?;
        let listener = bind().await?;
        let address = listener.local_addr()?;
        let host = components::host(Some(Images::within(data_dir.compiled()?)))?;
        let assembled = Assembled::open(config, output, data_dir, address, host).await?;
        let node = assembled.node.clone();
        // Founding may need another node to write, and that one may need this one's answers.
        let (stop, stopped) = oneshot::channel();
        let telemetry = config.telemetry.as_ref().map(Telemetry::start);
        let telemetry = telemetry.transpose()?;
        let state = GatewayState {
            spans: telemetry
                .clone()
                .map(|telemetry| telemetry as Arc<dyn Spans>),
            origins: config.cors.origins.clone().into(),
            ..GatewayState::new(node.clone())
        };
        let config_rejected = Arc::clone(&state.config_rejected);
        let starting = Arc::clone(&state.starting);
        starting.store(true, Ordering::Relaxed);
        let api = aigen_gateway::router(state);
        let secure = tls.is_some();
        let pages = aigen_dashboard::router(aigen_mcp::router(api.clone().into()), secure);
        let front = Front { api, pages };
        let door = match tls {
            Some(tls) => Door::tls(listener, tls),
            None => Door::from(listener),
        };
        let lanes = Lanes::start(thread::available_parallelism().map_or(1, usize::from))?;
        let server = tokio::spawn(aigen_gateway::serve(door.served_by(lanes), front, async {
            // A sender that is gone says the same as a message.
            let _ = stopped.await;
        }));
        let operator = assembled.found(config, output).await?;
        lock.announce(&url(address, secure))?;
        let loaded = tokio::select! {
            loaded = assembled.load(config, output) => loaded,
            () = signals.told_to_stop() => Err(anyhow!("told to stop while models were being loaded")),
        };
        if loaded.is_err() {
            // What was asked meanwhile is settled: nothing of it is left to the next start.
            assembled.node.shut_down(Duration::ZERO).await;
        }
        loaded?;
        starting.store(false, Ordering::Relaxed);
        let snapshots = assembled.keep_snapshots(config);
        let local = Self {
            assembled,
            operator,
            address,
            secure,
            grace: Arc::new(AtomicU64::new(config.grace_seconds)),
            config_rejected,
            telemetry,
            signals,
            stop,
            server,
            snapshots,
            reloads: None,
            _lock: lock,
        };
        Ok(local)
    }

    /// Follows the configuration from now on: on SIGHUP, and when its file changes.
    ///
    /// # Errors
    /// When the operating system does not let us listen for SIGHUP.
    pub fn follow(&mut self, source: Source, output: &Output) -> Result<()> {
        let began_with_file = source.file.exists();
        let reload = Reload {
            source,
            node: self.assembled.node.clone(),
            operator: self.operator.clone(),
            effective: self.assembled.effective.clone(),
            grace: Arc::clone(&self.grace),
            rejected: Arc::clone(&self.config_rejected),
            output: *output,
            began_with_file,
        };
        self.reloads = Some(tokio::spawn(reload.follow(reload::hang_ups()?)));
        Ok(())
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(self.grace.load(Ordering::Relaxed))
    }

    /// Where it answers, for programs on this machine.
    pub fn url(&self) -> String {
        url(self.address, self.secure)
    }

    /// Its operator, who may do everything.
    pub fn operator(&self) -> &Caller {
        &self.operator
    }

    /// The names of the models it serves, in the order of names.
    pub fn models(&self) -> Vec<String> {
        let models = self.assembled.node.models();
        models.keys().map(ToString::to_string).collect()
    }

    /// What it is put together of.
    pub fn assembled(&self) -> &Assembled {
        &self.assembled
    }

    /// Takes no new calls, lets the running ones finish within the grace, then ends and
    /// settles them. Told to stop once more, it waits no longer.
    ///
    /// # Errors
    /// When the server had failed.
    pub async fn stop(mut self) -> Result<()> {
        self.snapshots.abort();
        self.reloads.iter().for_each(JoinHandle::abort);
        // Meanwhile new requests are answered, by a refusal, and whoever asks whether it is ready.
        tokio::select! {
            () = self.assembled.node.shut_down(self.grace()) => {}
            () = self.signals.told_to_stop() => self.assembled.node.shut_down(Duration::ZERO).await,
        }
        // The server may have ended by itself, and then nobody listens.
        let _ = self.stop.send(());
        let last_replies = Duration::from_secs(LAST_REPLIES_SECONDS_MAX);
        let ended = tokio::time::timeout(last_replies, self.server).await;
        if let Some(telemetry) = &self.telemetry {
            telemetry.flush().await;
        }
        match ended {
            Ok(ended) => Ok(ended?.context("the server failed")?),
            // Everything is settled; who still does not read has had its time.
            Err(_) => Ok(()),
        }
    }

    /// Runs until it is told to stop, by Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(mut self) -> Result<()> {
        tokio::select! {
            () = self.signals.told_to_stop() => {}
            ended = &mut self.server => return ended?.context("the server failed"),
        }
        tracing::info!(
            "stopping: running calls may finish for {} seconds",
            self.grace().as_secs()
        );
        self.stop().await
    }
}

fn url(address: SocketAddr, secure: bool) -> String {
    let scheme = if secure { "https" } else { "http" };
    match address.ip() {
        // "Every address" is none to send a request to.
        ip if ip.is_unspecified() => format!("{scheme}://127.0.0.1:{}", address.port()),
        _ => format!("{scheme}://{address}"),
    }
}
