//! An issuer for the tests. It returns given responses and records its requests.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;

/// One request: method and path, `Authorization`, body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    pub what: String,
    pub authorization: String,
    pub body: String,
}

/// Status, content type, body.
pub type Reply = (u16, &'static str, String);

pub struct Server {
    pub url: String,
    /// Its certificate as PEM.
    pub certificate: String,
    requests: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl Server {
    /// Listens on loopback with TLS until the runtime ends. `answer` also gets the server's URL.
    pub async fn start(
        answer: impl Fn(&RecordedRequest, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let tls = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let (log, base) = (requests.clone(), url.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, log, base) = (tls.clone(), log.clone(), base.clone());
                let answer = answer.clone();
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let service = service_fn(move |request| {
                        let (log, base, answer) = (log.clone(), base.clone(), answer.clone());
                        async move { Ok::<_, Infallible>(reply(request, &log, &base, &*answer).await) }
                    });
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, certificate: certificate.pem(), requests }
    }

    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.lock().unwrap().clone()
    }
}

async fn reply(
    request: Request<Incoming>,
    log: &Mutex<Vec<RecordedRequest>>,
    base: &str,
    answer: &(dyn Fn(&RecordedRequest, &str) -> Reply + Send + Sync),
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let authorization = head.headers.get("authorization").map(|value| value.to_str().unwrap());
    let recorded = RecordedRequest {
        what: format!("{} {}", head.method, head.uri.path()),
        authorization: authorization.unwrap_or_default().to_owned(),
        body: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    };
    log.lock().unwrap().push(recorded.clone());
    let (status, content_type, body) = answer(&recorded, base);
    let response = Response::builder().status(status).header("content-type", content_type);
    let response = match status {
        302 => response.header("location", format!("{base}/elsewhere")),
        _ => response,
    };
    response.body(Full::from(body)).unwrap()
}
