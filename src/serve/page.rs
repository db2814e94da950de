//! The HTML pages. The templates escape all values.

use askama::Template;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::question::Question;
use super::snapshot::{Change, Snapshot, StatusStyle, StatusSummary};

/// The parts of the page that do not come from the snapshot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The prefix of every link: the path from the page's address to the server's own addresses.
    pub root: &'a str,
    /// The user; empty without authentication.
    pub viewer: &'a str,
    /// True if the user has a session that can be ended.
    pub can_log_out: bool,
    /// The result of the last submission.
    pub notice: Option<Notice<'a>>,
    /// The value of the field after a refused submission.
    pub entered: Option<&'a str>,
    /// The address of Locust's own page for the viewer's browser, if the browser can reach it.
    pub locust_page: Option<&'a str>,
    /// A submission that must be confirmed first.
    pub question: Option<&'a Question>,
}

/// The result of a submission.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// True if nothing was changed, or if the result is not known.
    pub is_error: bool,
    /// A sentence.
    pub text: &'a str,
}

/// A file that the pages need.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The path, relative to the page.
    pub path: &'static str,
    pub content_type: &'static str,
    pub body: &'static [u8],
}

/// All files that the pages need.
pub const ASSETS: &[Asset] = &[
    Asset {
        path: "assets/style.css",
        content_type: "text/css; charset=utf-8",
        body: include_bytes!("assets/style.css"),
    },
    Asset {
        path: "assets/page.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_bytes!("assets/page.js"),
    },
    Asset {
        path: "assets/chart.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_bytes!("assets/chart.js"),
    },
    Asset {
        path: "assets/common.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_bytes!("assets/common.js"),
    },
    Asset {
        path: "assets/panel.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_bytes!("assets/panel.js"),
    },
    Asset {
        path: "assets/tokens.css",
        content_type: "text/css; charset=utf-8",
        body: include_bytes!("assets/tokens.css"),
    },
    Asset {
        path: "assets/panel.css",
        content_type: "text/css; charset=utf-8",
        body: include_bytes!("assets/panel.css"),
    },
    Asset {
        path: "assets/icon.svg",
        content_type: "image/svg+xml",
        body: include_bytes!("assets/icon.svg"),
    },
];

/// The counts are formatted in the same way as in `common.js`.
#[derive(Template)]
#[template(path = "page.html", config = "src/serve/assets/askama.toml")]
struct Page<'a> {
    snapshot: &'a Snapshot,
    context: Context<'a>,
    ready: String,
    desired: String,
    label: &'a str,
    unit: &'static str,
    bar_max: i64,
    bar_value: i64,
    entered: String,
    rps: String,
    failures: String,
    pods_count: usize,
    question_title: String,
    question_text: String,
}

#[derive(Template)]
#[template(path = "login.html", config = "src/serve/assets/askama.toml")]
struct Login<'a> {
    next: &'a str,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "unreachable.html", config = "src/serve/assets/askama.toml")]
struct Unreachable<'a> {
    assets: &'a str,
    script: &'a str,
    detail: &'a str,
}

#[derive(Template)]
#[template(path = "error.html", config = "src/serve/assets/askama.toml")]
struct ErrorPage<'a> {
    root: &'a str,
    title: &'a str,
    detail: &'a str,
    is_reachable: bool,
}

pub fn page(snapshot: &Snapshot, context: Context<'_>) -> String {
    let replicas = snapshot.replicas;
    let shown = replicas.map(|replicas| replicas.ready.unwrap_or(replicas.current));
    let desired = replicas.map(|replicas| replicas.desired);
    let count = |count: Option<i64>| count.map_or_else(|| "–".to_owned(), |c| c.to_string());
    let entered = match (context.entered, desired) {
        (Some(entered), _) => entered.to_owned(),
        (None, Some(desired)) => desired.to_string(),
        (None, None) => String::new(),
    };
    let name = &snapshot.target.name;
    let locust = snapshot.locust.as_ref();
    let rps = locust.map_or(0.0, |locust| locust.requests_per_second);
    let failures = locust.map_or(0.0, |locust| locust.failure_ratio * 100.0);
    let question = context.question;
    let question_title = question.map(|question| question.title(name)).unwrap_or_default();
    let question_text = question.map(|question| question.text()).unwrap_or_default();
    render(&Page {
        snapshot,
        context,
        ready: count(shown),
        desired: count(desired),
        label: label(&snapshot.summary),
        unit: if desired == Some(1) { "worker ready" } else { "workers ready" },
        bar_max: desired.unwrap_or(1).max(1),
        bar_value: shown.unwrap_or_default().min(desired.unwrap_or_default()),
        entered,
        rps: format!("{rps:.1}"),
        failures: format!("{failures:.1} %"),
        pods_count: snapshot.pods.len() + snapshot.more_pods,
        question_title,
        question_text,
    })
}

/// The status without the counts, which stand beside it.
fn label(summary: &StatusSummary) -> &str {
    match summary.style {
        _ if !summary.text.contains(" of ") => &summary.text,
        StatusStyle::Stuck => "Pods do not start",
        _ => "Starting",
    }
}

/// The login form. `next` is the path to continue with, relative to the page.
pub fn login(next: &str, error: Option<&str>) -> String {
    render(&Login { next, error })
}

/// The page of an error. `root` is the path to the server's own addresses; the page has a link to them
/// if `is_reachable`.
pub fn error(root: &str, title: &str, detail: &str, is_reachable: bool) -> String {
    render(&ErrorPage { root, title, detail, is_reachable })
}

/// The page in place of Locust's while Locust does not answer. `script` is the path of the panel's
/// script.
pub fn locust_unreachable(script: &str, detail: &str) -> Response {
    let style = script.replace("panel.js", "");
    let text = render(&Unreachable { assets: &style, script, detail });
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

fn render(template: &impl Template) -> String {
    // Rendering into memory does not fail.
    template.render().unwrap_or_default()
}

mod filters {
    /// Shortens an RFC 3339 time in UTC to `14:10 UTC`; leaves other texts unchanged.
    #[askama::filter_fn]
    pub fn clock(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
        let text = text.to_string();
        Ok(match (text.get(11..16), text.ends_with('Z')) {
            (Some(time), true) => format!("{time} UTC"),
            _ => text,
        })
    }
}

impl Change {
    /// `1 → 3`
    fn step(&self) -> String {
        let count = |count: Option<i64>| count.map_or_else(|| "?".to_owned(), |c| c.to_string());
        format!("{} → {}", count(self.old), count(self.new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::{Autoscaler, Limits};
    use crate::serve::question::Reason;
    use crate::serve::snapshot::{
        Connection, ConnectionState, Outcome, Pod, PodStyle, Replicas, Stage, Swarm, TargetInfo,
        UserCheck,
    };

    const HOSTILE: &str = "<script>alert(1)</script>\"'&";

    fn snapshot(text: &str, pods: usize) -> Snapshot {
        let own = || text.to_owned();
        let pod = |number: usize| Pod {
            name: format!("{text}-{number}"),
            state: own(),
            text: own(),
            style: PodStyle::Failed,
            ready: false,
            message: own(),
            created: own(),
        };
        Snapshot {
            target: TargetInfo {
                kind: own(),
                name: own(),
                namespace: own(),
                cluster: own(),
                context: Some(own()),
                simulated: true,
            },
            limits: Limits { min: 0, max: 100 },
            connection: Connection { state: ConnectionState::Lost, message: own(), since: own() },
            replicas: Some(Replicas { desired: 5, current: 5, ready: Some(2), settled: false }),
            summary: StatusSummary { text: own(), style: StatusStyle::Stuck },
            pods: (0..pods).map(pod).collect(),
            more_pods: 3,
            pods_error: Some(own()),
            start_failures: vec![own()],
            start_failures_in_words: vec![own()],
            autoscalers: vec![Autoscaler {
                kind: "ScaledObject",
                name: own(),
                min: 1,
                max: 5,
                idle: None,
                pause: None,
            }],
            locust: Some(Swarm {
                address: own(),
                problem: own(),
                state: own(),
                workers: 1,
                target_workers: 1,
                users: 15,
                desired_users: Some(60),
                requests_per_second: 12.5,
                failure_ratio: 0.125,
                notes: vec![own()],
                needs_rebalance: true,
            }),
            history: vec![Change {
                id: 1,
                time: own(),
                changed_by: own(),
                old: None,
                new: Some(5),
                outcome: Outcome::Failed,
                message: own(),
                users: Some(UserCheck { stage: Stage::Failed, text: own() }),
            }],
            history_note: "",
        }
    }

    fn shown(snapshot: &Snapshot) -> String {
        page(snapshot, Context::default())
    }

    #[test]
    fn all_values_are_escaped() {
        let snapshot = snapshot(HOSTILE, 2);
        let reason = Reason::Cost(HOSTILE.to_owned());
        let question = Question { new: 0, old: Some(5), reason };
        let context = Context {
            root: "",
            viewer: HOSTILE,
            can_log_out: true,
            notice: Some(Notice { is_error: true, text: HOSTILE }),
            entered: Some(HOSTILE),
            locust_page: Some(HOSTILE),
            question: Some(&question),
        };
        let error = error("./", HOSTILE, HOSTILE, true);
        for html in [page(&snapshot, context), login(HOSTILE, Some(HOSTILE)), error] {
            assert!(!html.contains("<script>") && !html.contains("\"'"), "{html}");
            assert!(html.contains("&#60;script&#62;"), "{html}");
        }
    }

    #[test]
    fn a_refused_number_stays_in_the_field() {
        let snapshot = snapshot("x", 0);
        let context = Context { entered: Some("1000"), ..Context::default() };
        assert!(page(&snapshot, context).contains("value=\"1000\""));
        assert!(shown(&snapshot).contains("name=\"worker_count\""));
        assert!(shown(&snapshot).contains("min=\"0\" max=\"100\" value=\"5\""));
    }

    #[test]
    fn the_page_and_its_files_are_small() {
        let html = shown(&snapshot("locust-slave-7d6d865b5d-6nng4", 20)).len();
        let files: usize = ASSETS.iter().map(|asset| asset.body.len()).sum();
        assert!(html + files < 68 * 1024, "{html} and {files} bytes, before compression");
    }

    #[test]
    fn the_page_has_no_inline_code_and_no_foreign_files() {
        let html = shown(&snapshot("x", 1)) + &login("", None);
        for forbidden in ["style=", "http:", "https:", "//"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        let mut words = html.split_whitespace();
        let handler = words.find(|word| word.starts_with("on") && word.contains('='));
        assert_eq!(handler, None);
    }
}
