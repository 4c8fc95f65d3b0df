//! Connections: taken, given time limits, and ended together.

use super::{Site, client::Peer, metrics::serve_metrics, router_of};
use anyhow::Result;
use axum::{Extension, Router};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::Layer;

/// A request whose head has not arrived by then is dropped; otherwise half-sent requests pile up for ever.
const HEAD_ARRIVES: Duration = Duration::from_secs(10);

/// So many connections at a time.
const CONNECTIONS: usize = 512;

/// So long is waited for answers under way when the site stops.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// How often it is seen to that what the hotspot page shows at first is there.
const PREPARED_EVERY: Duration = Duration::from_mins(1);

/// Serves the site until `stopped` is done, then lets answers under way finish; and its metrics, where they have an address.
///
/// # Errors
///
/// Never at present; a connection that fails is that reader's alone.
pub async fn serve(
    site: Site,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    stopped: impl Future<Output = ()>,
) -> Result<()> {
    let site = Arc::new(site);
    let measuring = metrics.map(|listener| tokio::spawn(serve_metrics(Arc::clone(&site), listener)));
    let first = Arc::clone(&site);
    let preparing = tokio::spawn(async move {
        loop {
            first.prepare().await;
            tokio::time::sleep(PREPARED_EVERY).await;
        }
    });
    let served = serve_router(router_of(&site), listener, stopped).await;
    preparing.abort();
    if let Some(measuring) = measuring {
        measuring.abort();
    }
    served
}

pub(super) async fn serve_router(
    router: Router,
    listener: TcpListener,
    stopped: impl Future<Output = ()>,
) -> Result<()> {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_ARRIVES);
    let open = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(stopped);
    loop {
        let (stream, peer, turn) = tokio::select! {
            () = &mut stopped => break,
            taken = take(&listener, &room) => match taken {
                Some(taken) => taken,
                None => continue,
            },
        };
        let service = TowerToHyperService::new(Extension(Peer(peer)).layer(router.clone()));
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A reader who hangs up is no fault of ours.
            let _ = connection.await;
            drop(turn);
        });
    }
    let _ = tokio::time::timeout(LAST_ANSWERS, open.shutdown()).await;
    Ok(())
}

async fn take(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let turn = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer.ip(), turn)),
        Err(failed) => {
            tracing::warn!(error = %failed, "a connection could not be taken");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
