//! A web server that stands in for Locust. It answers as the test says, and records its requests.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A minimal Locust page, with the parts that `serve --locust-ui` reads.
pub const PAGE: &str = "<!doctype html><html><body><div id=\"root\"></div>\
<script>window.templateArgs = {\"state\": \"ready\"}</script></body></html>";

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// `name: value`, with names in lower case.
    pub headers: Vec<String>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// True if the request has this cookie.
    pub fn has_cookie(&self, cookie: &str) -> bool {
        self.header("cookie").is_some_and(|all| all.split("; ").any(|one| one == cookie))
    }
}

/// The server. It serves one request on each connection.
pub struct FakeLocust {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl FakeLocust {
    /// Starts the server. It calls `answer` for each request, to write the response to the
    /// connection.
    pub fn start(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (answer, recorded) = (Arc::new(answer), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, recorded) = (Arc::clone(&answer), Arc::clone(&recorded));
                std::thread::spawn(move || {
                    let mut stream = stream;
                    let Some(request) = read(&mut stream) else { return };
                    recorded.lock().unwrap().push(request.clone());
                    answer(&request, &mut stream);
                });
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self, path: &str) -> Vec<Request> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|request| request.path == path).cloned().collect()
    }
}

/// Writes a whole response. `head` is the status line and the headers without `Content-Length`.
pub fn reply(stream: &mut TcpStream, head: &str, body: impl AsRef<[u8]>) {
    let body = body.as_ref();
    let length = body.len();
    let head = head.replace('\n', "\r\n");
    let head = format!(
        "HTTP/1.1 {head}\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    // The client may be gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Writes Locust's default response: its page, the number of workers, and statistics.
pub fn default_response(request: &Request, stream: &mut TcpStream) {
    let json = "200 OK\nContent-Type: application/json";
    match request.path.trim_start_matches("/locust") {
        "/" | "" => reply(stream, "200 OK\nContent-Type: text/html; charset=utf-8", PAGE),
        "/worker-count" => reply(stream, json, r#"{"worker_count": 0}"#),
        "/stats/requests" => {
            reply(stream, json, r#"{"state": "ready", "user_count": 0, "workers": []}"#);
        }
        _ => reply(stream, "404 NOT FOUND\nContent-Type: text/html", "<h1>Not Found</h1>"),
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut received = Vec::new();
    let end = loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        receive_chunk(stream, &mut received)?;
    };
    let head = String::from_utf8(received[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let headers: Vec<String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| format!("{}: {value}", name.to_lowercase()))
        .collect();
    let mut request = Request {
        method: first.next()?.to_owned(),
        path: first.next()?.to_owned(),
        headers,
        body: String::new(),
    };
    let mut body = received.split_off(end + 4);
    if request.header("transfer-encoding").is_some() {
        while !body.ends_with(b"0\r\n\r\n") {
            receive_chunk(stream, &mut body)?;
        }
        body = decode_chunked(&body)?;
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok());
    while body.len() < length.unwrap_or(0) {
        receive_chunk(stream, &mut body)?;
    }
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

fn receive_chunk(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
    received.extend_from_slice(&buffer[..count]);
    Some(())
}

fn decode_chunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(body.get(end + 2..end + 2 + size)?);
        body = body.get(end + 4 + size..)?;
    }
}
