use crate::failure::OrHint;
use anyhow::Result;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Ports tried after the first one.
const NEXT_PORTS: u16 = 100;

/// Listens at exactly this address.
///
/// # Errors
/// When it is in use or not ours.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let other = SocketAddr::new(address.ip(), address.port().saturating_add(1));
    TcpListener::bind(address).await.or_hint(
        format!("cannot listen on {address}"),
        format!("choose another address, like --listen {other}, or stop what uses this one"),
    )
}

/// Listens at this address, or at the next port that is free.
///
/// # Errors
/// When a hundred ports are in use, or the address is not ours.
pub async fn first_free(address: SocketAddr) -> Result<TcpListener> {
    let last = address.port().saturating_add(NEXT_PORTS);
    for port in address.port()..last {
        match TcpListener::bind(SocketAddr::new(address.ip(), port)).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Ok(listener) => return Ok(listener),
            Err(_) => break,
        }
    }
    listen(address).await
}
