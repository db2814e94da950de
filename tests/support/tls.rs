//! A certificate for `serve`.

use rcgen::{CertificateParams, KeyPair};

use crate::cluster::TestCluster;

/// A certificate for localhost. It is in the cluster's directory, together with its key.
pub struct Certificate {
    pub pem: String,
    flags: [String; 2],
}

impl Certificate {
    pub fn of(cluster: &TestCluster) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let certificate = cluster.file("tls.crt", &pem);
        let key = cluster.file("tls.key", &key.serialize_pem());
        let flags = [
            format!("--tls-cert={}", certificate.display()),
            format!("--tls-key={}", key.display()),
        ];
        Self { pem, flags }
    }

    pub fn flags(&self) -> [&str; 2] {
        [&self.flags[0], &self.flags[1]]
    }
}
