//! stub
#![allow(missing_docs)]
use super::caller::Peer;
use std::net::SocketAddr;
use std::path::PathBuf;
#[derive(Debug)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}
#[derive(Debug)]
pub struct Listener(tokio::net::TcpListener);
impl Listener {
    pub async fn bind(a: SocketAddr, _: Option<Tls>) -> anyhow::Result<Self> {
        Ok(Self(tokio::net::TcpListener::bind(a).await?))
    }
    pub fn local_addr(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
    pub async fn run(self, app: axum::Router, stop: impl Future<Output = ()>) {
        let go = async {
            loop {
                let (s, address) = self.0.accept().await.unwrap();
                s.set_nodelay(true).unwrap();
                let app = app.clone();
                tokio::spawn(async move {
                    let svc = hyper::service::service_fn(
                        move |mut r: hyper::Request<hyper::body::Incoming>| {
                            r.extensions_mut().insert(Peer { address, is_tls: false });
                            use tower_service::Service;
                            app.clone().call(r)
                        },
                    );
                    let _ = hyper_util::server::conn::auto::Builder::new(
                        hyper_util::rt::TokioExecutor::new(),
                    )
                    .serve_connection(hyper_util::rt::TokioIo::new(s), svc)
                    .await;
                });
            }
        };
        tokio::select! { _ = go => {}, _ = stop => {} }
    }
}
