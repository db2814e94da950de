//! Results of a test, for unit tests. The files are those of a real Locust 2.47.0 with other names.

use super::results::{LocustCsv, Results};

pub const REQUESTS: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%\r\n\
GET,/,93,0,5,5.129032258064516,1.0370000000001,26.5,1024.0,8.99,0.0,5,6,7,8,10,12,20,26,26,26,26\r\n\
GET,/login,100,1,11,12.25,2.5,812.25,0.0,9.5,0.095,11,12,13,14,20,800,810,810,810,810,810\r\n\
POST,/login,0,0,0,0.0,0,0,0,0.0,0.0,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A\r\n\
GET,\"/a, \"\"b\"\"\nc|`d` ]]>\",7,7,3,3.0,3,3,1e-05,0.7,0.7,3,3,3,3,3,3,3,3,3,3,3\r\n\
,Aggregated,200,8,7,8.75,1.0370000000001,812.25,512.0,19.19,0.795,7,8,9,10,15,26,800,810,810,810,810\r\n";

pub const FAILURES: &str = "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n\
GET,/login,\"HTTPError('404 Client Error: Not Found for url: /nope')\",1,2026-11-26T14:15:31Z,2026-11-26T14:15:31Z\r\n\
GET,\"/a, \"\"b\"\"\nc|`d` ]]>\",=cmd|' /C calc'!A0,7,2026-11-26T14:15:31Z,2026-11-26T14:15:39Z\r\n";

pub const EXCEPTIONS: &str = "Count,Message,Traceback,Nodes\r\n\
2,boom,\"Traceback (most recent call last):\n  File \"\"locustfile.py\"\", line 9\nValueError: boom\n\",\"worker-1, worker-2\"\r\n";

/// The files of [`results`].
pub fn csv() -> LocustCsv {
    LocustCsv {
        requests: REQUESTS.into(),
        failures: FAILURES.into(),
        exceptions: EXCEPTIONS.into(),
    }
}

/// A test with 200 requests, 8 of which failed.
pub fn results() -> Results {
    Results::parse(csv()).unwrap()
}

/// A test without any request.
pub fn no_requests() -> Results {
    let header = REQUESTS.lines().next().unwrap();
    let line = format!(",Aggregated,0,0,0,0.0,0,0,0,0.0,0.0{}", ",N/A".repeat(11));
    let lines = |first: &str| format!("{first}\r\n").into_bytes();
    Results::parse(LocustCsv {
        requests: format!("{header}\r\n{line}\r\n").into(),
        failures: lines(FAILURES.lines().next().unwrap()),
        exceptions: lines(EXCEPTIONS.lines().next().unwrap()),
    })
    .unwrap()
}

/// The answer of `/stats/requests` during the test.
pub fn live() -> serde_json::Value {
    let row = |method: &str, name: &str, requests: u64| {
        serde_json::json!({"method": method, "name": name, "num_requests": requests, "num_failures": 2,
            "median_response_time": 5, "avg_response_time": 5.5, "min_response_time": 1,
            "max_response_time": 26, "avg_content_length": 1024.0, "current_rps": 8.25,
            "current_fail_per_sec": 0.25, "total_rps": 9.5, "total_fail_per_sec": 0.2,
            "response_time_percentile_0.95": 12, "response_time_percentile_0.99": 26})
    };
    serde_json::json!({"state": "running", "user_count": 12, "worker_count": 2, "errors": [],
        "stats": [row("GET", "/", 93), row("GET", "/slow", 7), row("", "Aggregated", 100)]})
}
