//! Compressed answers of `locustctl serve`.

use support::cluster::TestCluster;
use support::serving::{Http, Reply, Serving};

#[test]
fn the_page_and_its_files_are_compressed_on_request_and_answers_with_secrets_are_not() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    let http = Http::new();
    let get = |path: &str, encoding: &str| -> Reply {
        let request = http.request("GET", &format!("{}{path}", serving.url()));
        http.send(request.header("accept-encoding", encoding))
    };
    for path in ["/", "/assets/page.js", "/api/openapi.json"] {
        let reply = get(path, "gzip, br");
        assert_eq!(reply.header("content-encoding"), "gzip", "{path}");
        assert_eq!(reply.header("vary"), "accept-encoding", "{path}");
        assert_eq!(get(path, "identity").header("content-encoding"), "", "{path}");
    }
    let script = get("/assets/page.js", "identity");
    assert!(script.text.contains("import "), "{script:?}");
    assert_eq!(get("/api/scale", "gzip").header("content-encoding"), "");
}
