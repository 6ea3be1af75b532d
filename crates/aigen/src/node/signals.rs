use anyhow::{Context, Result};

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// When the operating system does not let us listen for them.
#[cfg(unix)]
pub async fn told_to_stop() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Waits for Ctrl-C.
///
/// # Errors
/// When the operating system does not let us listen for it.
#[cfg(not(unix))]
pub async fn told_to_stop() -> Result<()> {
    tokio::signal::ctrl_c()
        .await
        .context("cannot listen for signals")
}
