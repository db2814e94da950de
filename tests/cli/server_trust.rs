//! Servers that kubectl trusts, and servers that it refuses. The rules themselves are tested beside
//! `src/cluster/trust`; here, every kind of connection must follow them.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use support::cluster::TestCluster;
use support::tls_server::{TlsServer, p521_config, server_config};
use support::{Locustctl, Outcome, locustctl};

const UNCHANGED: &str = "deployment.apps/locust-slave scaled from 1 to 1 (no change)\n";

const UNTRUSTED: &str =
    "Unable to connect to the server: tls: failed to verify certificate: x509: ";

type Change = fn(&mut CertificateParams);

/// A root, and a server's certificate that it signed.
struct Pair {
    root: String,
    server: String,
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Pair {
    fn new(of_root: Change, of_server: Change) -> Self {
        let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        of_root(&mut root);
        let mut server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        of_server(&mut server);
        let issuer = Issuer::from_params(&root, &root_key);
        let server = server.signed_by(&key, &issuer).unwrap();
        let root = root.self_signed(&root_key).unwrap().pem();
        Self { root, server: server.pem(), chain: vec![server.der().clone()], key }
    }

    fn config(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> ServerConfig {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        server_config(self.chain.clone(), key, versions)
    }

    fn start(&self) -> TlsServer {
        TlsServer::start(self.config(&[]))
    }
}

const SAME: Change = |_| {};
const EXPIRED: Change = |params| params.not_after = date_time_ymd(2026, 1, 1);

fn scale(server: &TlsServer) -> Locustctl {
    locustctl("scale --replicas=1 --token=some-token").arg("--server").arg(server.url())
}

/// Scales at a server, with these certificates as the only roots.
fn scale_with(server: &TlsServer, roots: &str) -> Outcome {
    let call = scale(server);
    let file = call.home().join("roots.pem");
    std::fs::write(&file, roots).unwrap();
    call.arg("--certificate-authority").arg(file).run()
}

#[test]
fn the_certificate_of_the_server_can_be_the_certificate_authority() {
    let pair = Pair::new(SAME, SAME);
    let server = pair.start();
    scale_with(&server, &pair.server).prints(UNCHANGED);
    let call = scale(&server);
    let file = call.home().join("leaf.pem");
    std::fs::write(&file, &pair.server).unwrap();
    call.env("SSL_CERT_FILE", &file).run().prints(UNCHANGED);
}

#[test]
fn roots_of_the_system_are_in_a_file_and_in_directories() {
    let pair = Pair::new(SAME, SAME);
    let server = pair.start();
    let call = scale(&server);
    let directory = call.home().join("roots");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("root.pem"), &pair.root).unwrap();
    let missing = call.home().join("missing.pem");
    call.env("SSL_CERT_DIR", &directory).env("SSL_CERT_FILE", missing).run().prints(UNCHANGED);
    let unknown = "certificate signed by unknown authority\n";
    scale(&server).run().refuses(&format!("{UNTRUSTED}{unknown}"));
}

#[test]
fn roots_that_kubectl_refuses_are_refused_before_any_request() {
    let cannot_sign = "certificate signed by unknown authority (possibly because of \"x509: invalid \
         signature: parent certificate cannot sign this kind of certificate\" while trying to \
         verify candidate authority certificate \"root\")\n";
    let table: [(Change, &str); 5] = [
        (EXPIRED, "certificate has expired or is not yet valid: current time "),
        (
            |params| params.not_before = date_time_ymd(2100, 1, 1),
            " is before 2100-01-01T00:00:00Z\n",
        ),
        (|params| params.is_ca = IsCa::ExplicitNoCa, cannot_sign),
        (|params| params.key_usages = vec![KeyUsagePurpose::CrlSign], cannot_sign),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "certificate specifies an incompatible key usage\n",
        ),
    ];
    for (change, expected) in table {
        let pair = Pair::new(change, SAME);
        let server = pair.start();
        let outcome = scale_with(&server, &pair.root);
        outcome.exits(1, "");
        assert!(outcome.stderr.starts_with(UNTRUSTED), "{outcome:?}");
        assert!(outcome.stderr.contains(expected), "{outcome:?}");
        assert_eq!(server.requests(), 0);
    }
}

#[test]
fn a_certificate_for_any_purpose_is_accepted() {
    let any: Change = |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
    let pair = Pair::new(SAME, any);
    scale_with(&pair.start(), &pair.root).prints(UNCHANGED);
}

#[test]
fn a_server_can_have_a_p_521_key() {
    let fixture = |name: &str| -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/tls", name].iter().collect()
    };
    let pem = std::fs::read_to_string(fixture("server-p521.pem")).unwrap();
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("server-p521.key")).unwrap();
    for version in [&TLS12, &TLS13] {
        let server = TlsServer::start(p521_config(chain[1..].to_vec(), &key, &[version]));
        scale_with(&server, &pem).prints(UNCHANGED);
    }
}

#[test]
fn a_failed_handshake_is_explained_only_by_what_is_known() {
    let pair = Pair::new(SAME, SAME);
    let failure = "Unable to connect to the server: remote error: tls: handshake failure";
    let server = TlsServer::refusing_at_start();
    scale_with(&server, &pair.root).refuses(&format!(
        "{failure} (the server refused the connection at its start: it may have no certificate for the name, \
         or no cipher suite or key exchange in common with locustctl)\n"
    ));
    let server = TlsServer::refusing_after_certificate(pair.config(&[&TLS12]));
    scale_with(&server, &pair.root).refuses(&format!("{failure}\n"));

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pair.root.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let asks = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let resolver = pair.config(&[&TLS12]).cert_resolver;
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_client_cert_verifier(asks.build().unwrap())
        .with_cert_resolver(resolver);
    let server = TlsServer::refusing_after_certificate(config);
    scale_with(&server, &pair.root).refuses(&format!(
        "{failure} (the server asked for a client certificate, and none is configured)\n"
    ));
}

#[test]
fn a_locust_at_a_url_is_verified_by_the_same_rules() {
    let cluster = TestCluster::start();
    let status = |server: &TlsServer, roots: &str| {
        let file = cluster.file("locust.pem", roots);
        locustctl("status")
            .arg(format!("--locust={}", server.url()))
            .arg(format!("--locust-certificate-authority={}", file.display()))
            .kubeconfig(cluster.kubeconfig())
            .run()
    };
    let pair = Pair::new(SAME, SAME);
    let server = pair.start();
    status(&server, &pair.server);
    assert!(server.requests() > 0);
    let pair = Pair::new(EXPIRED, SAME);
    let server = pair.start();
    let outcome = status(&server, &pair.root);
    assert!(outcome.stderr.contains("x509: certificate has expired"), "{outcome:?}");
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_token_issuer_is_verified_by_the_same_rules() {
    let login = |issuer: &TlsServer, roots: &str| {
        let call = locustctl("scale --replicas=1");
        let file = call.home().join("issuer.pem");
        std::fs::write(&file, roots).unwrap();
        let config = call.home().join("config");
        let settings = format!(
            "{{client-id: c, idp-issuer-url: '{}', idp-certificate-authority: '{}', \
             id-token: e30.eyJleHAiOjF9.x, refresh-token: r}}",
            issuer.url(),
            file.display()
        );
        let text = format!(
            "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
             clusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:1'}}}}]\n\
             users: [{{name: u, user: {{auth-provider: {{name: oidc, config: {settings}}}}}}}]\n"
        );
        std::fs::write(&config, text).unwrap();
        call.kubeconfig(config).run()
    };
    let pair = Pair::new(SAME, SAME);
    let issuer = pair.start();
    login(&issuer, &pair.server);
    assert!(issuer.requests() > 0);
    let (late, other) = (Pair::new(EXPIRED, SAME), Pair::new(SAME, SAME));
    for (roots, expected) in [
        (&late.root, "certificate has expired"),
        (&other.root, "certificate signed by unknown authority"),
    ] {
        let issuer = late.start();
        let outcome = login(&issuer, roots);
        let expected = format!("tls: failed to verify certificate: x509: {expected}");
        assert!(outcome.stderr.contains(&expected), "{outcome:?}");
        assert_eq!(issuer.requests(), 0);
    }
}

#[test]
fn a_proxy_is_verified_by_the_same_rules() {
    let pair = Pair::new(EXPIRED, SAME);
    let proxy = pair.start();
    let call = locustctl("scale --replicas=1");
    let file = call.home().join("roots.pem");
    std::fs::write(&file, &pair.root).unwrap();
    let config = call.home().join("config");
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:1', proxy-url: '{}', \
         certificate-authority: '{}'}}}}]\nusers: [{{name: u, user: {{token: some-token}}}}]\n",
        proxy.url(),
        file.display()
    );
    std::fs::write(&config, text).unwrap();
    let outcome = call.kubeconfig(config).run();
    outcome.exits(1, "");
    assert!(outcome.stderr.contains("x509: certificate has expired"), "{outcome:?}");
    assert_eq!(proxy.requests(), 0);
}

#[test]
fn a_certificate_that_cannot_be_read_is_named_so() {
    let pair = Pair::new(SAME, SAME);
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    scale_with(&pair.start(), garbage).refuses(
        "error: unable to load root certificates: failed to parse certificate: x509: malformed certificate\n",
    );
}
