//! The pages, as HTML. What comes from the cluster or from a caller is escaped by the templates.

use askama::Template;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::question::Question;
use super::snapshot::{Change, Pod, Snapshot};

/// What the page shows besides the snapshot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// From the page's address to ours: what stands before every link; empty where that is the
    /// same.
    pub root: &'a str,
    /// Who is looking; empty when nobody asked.
    pub viewer: &'a str,
    /// Whether there is a login to end.
    pub can_log_out: bool,
    /// What became of the last submission.
    pub notice: Option<Notice<'a>>,
    /// What stands in the field: as it was submitted, when that was refused.
    pub entered: Option<&'a str>,
    /// A submission that must be confirmed first.
    pub question: Option<Question<'a>>,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// Nothing was changed, or it is not known.
    pub is_error: bool,
    /// In a sentence.
    pub text: &'a str,
}

/// A file that the pages need.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Relative to the page.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub body: &'static [u8],
}

/// All of them.
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

/// How the counts are shown; `page.js` shows them in the same way.
#[derive(Template)]
#[template(path = "page.html", config = "src/serve/assets/askama.toml")]
struct Page<'a> {
    snapshot: &'a Snapshot,
    context: Context<'a>,
    ready: String,
    desired: String,
    current: String,
    are_ready: String,
    unit: &'static str,
    standing: String,
    standing_state: &'static str,
    bar_max: i64,
    bar_value: i64,
    entered: String,
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
#[template(path = "away.html", config = "src/serve/assets/askama.toml")]
struct Away<'a> {
    assets: &'a str,
    script: &'a str,
    detail: &'a str,
}

/// The page with the form.
pub fn page(snapshot: &Snapshot, context: Context<'_>) -> String {
    let replicas = snapshot.replicas;
    let shown = replicas.map(|replicas| replicas.ready.unwrap_or(replicas.current));
    let desired = replicas.map(|replicas| replicas.desired);
    let count = |count: Option<i64>| count.map_or_else(|| "–".to_owned(), |c| c.to_string());
    let (standing, standing_state) = standing(snapshot);
    let entered = match (context.entered, desired) {
        (Some(entered), _) => entered.to_owned(),
        (None, Some(desired)) => desired.to_string(),
        (None, None) => String::new(),
    };
    let name = &snapshot.target.name;
    let question = context.question;
    let question_title = question.map(|question| question.title(name)).unwrap_or_default();
    let question_text = question.map(|question| question.text()).unwrap_or_default();
    render(&Page {
        snapshot,
        context,
        ready: count(shown),
        desired: count(desired),
        current: count(replicas.map(|replicas| replicas.current)),
        are_ready: count(replicas.and_then(|replicas| replicas.ready)),
        unit: if desired == Some(1) { "worker ready" } else { "workers ready" },
        standing,
        standing_state,
        bar_max: desired.unwrap_or(1).max(1),
        bar_value: shown.unwrap_or_default().min(desired.unwrap_or_default()),
        entered,
        pods_count: snapshot.pods.len() + snapshot.more_pods,
        question_title,
        question_text,
    })
}

/// The form that asks for the token; `next` is the path to go on to, relative to the page's own.
pub fn login(next: &str, error: Option<&str>) -> String {
    render(&Login { next, error })
}

/// What stands in the place of Locust's page while that is not there; `script` is the panel's.
pub fn away(script: &str, detail: &str) -> Response {
    let style = script.replace("panel.js", "");
    let text = render(&Away { assets: &style, script, detail });
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

fn render(template: &impl Template) -> String {
    // A template fails only when what it writes to does, and that is memory.
    template.render().unwrap_or_default()
}

/// How it stands, in a few words, and how that is to look.
fn standing(snapshot: &Snapshot) -> (String, &'static str) {
    let Some(replicas) = snapshot.replicas else { return ("Not known".to_owned(), "unknown") };
    let (desired, current) = (replicas.desired, replicas.current);
    if replicas.settled {
        let text = if desired == 0 { "None are wanted" } else { "All are ready" };
        return (text.to_owned(), "settled");
    }
    let there = match replicas.ready {
        Some(ready) => format!("{ready} of {desired} ready"),
        None => format!("{current} of {desired} there"),
    };
    match snapshot.troubles.is_empty() {
        false => (there, "stuck"),
        true if current > desired => (format!("{} leaving", current - desired), "moving"),
        true => (there, "moving"),
    }
}

mod filters {
    /// `14:10 UTC` of an RFC 3339 time in UTC; anything else as it is.
    #[askama::filter_fn]
    pub fn clock(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
        let text = text.to_string();
        Ok(match (text.get(11..16), text.ends_with('Z')) {
            (Some(time), true) => format!("{time} UTC"),
            _ => text,
        })
    }
}

impl Pod {
    /// How it is to look: `ready`, `wait` while it is on its way, `bad` when it does not get on.
    fn look(&self) -> &'static str {
        match (self.ready, self.state.as_str()) {
            (true, _) => "ready",
            (
                _,
                ""
                | "Pending"
                | "ContainerCreating"
                | "PodInitializing"
                | "Running"
                | "Succeeded"
                | "Terminating"
                | "running, but not ready",
            ) => "wait",
            _ => "bad",
        }
    }

    fn words(&self) -> &str {
        match (self.ready, self.state.as_str()) {
            (true, _) => "Ready",
            (_, "ContainerCreating" | "PodInitializing") => "Starting",
            (_, "running, but not ready") => "Not ready",
            (_, state) => state,
        }
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
        Connection, Link, Outcome, Replicas, Stage, Swarm, TargetInfo, Users,
    };

    const HOSTILE: &str = "<script>alert(1)</script>\"'&";

    fn snapshot(text: &str, pods: usize) -> Snapshot {
        let own = || text.to_owned();
        let pod = |number: usize| Pod {
            name: format!("{text}-{number}"),
            state: own(),
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
            },
            limits: Limits { min: 0, max: 100 },
            connection: Connection { state: Link::Lost, message: own(), since: own() },
            replicas: Some(Replicas { desired: 5, current: 5, ready: Some(2), settled: false }),
            pods: (0..pods).map(pod).collect(),
            more_pods: 3,
            pods_unknown: Some(own()),
            troubles: vec![own()],
            autoscalers: vec![Autoscaler { kind: "ScaledObject", name: own(), min: 1, max: 5 }],
            locust: Some(Swarm {
                at: own(),
                problem: own(),
                state: own(),
                workers: 1,
                own_workers: 1,
                users: 15,
                users_wanted: Some(60),
                notes: vec![own()],
                needs_rebalance: true,
            }),
            history: vec![Change {
                id: 1,
                at: own(),
                who: own(),
                old: None,
                new: Some(5),
                outcome: Outcome::Failed,
                message: own(),
                users: Some(Users { stage: Stage::Wrong, text: own() }),
            }],
        }
    }

    fn shown(snapshot: &Snapshot) -> String {
        page(snapshot, Context::default())
    }

    #[test]
    fn whatever_is_shown_cannot_become_part_of_the_page() {
        let snapshot = snapshot(HOSTILE, 2);
        let context = Context {
            root: "",
            viewer: HOSTILE,
            can_log_out: true,
            notice: Some(Notice { is_error: true, text: HOSTILE }),
            entered: Some(HOSTILE),
            question: Some(Question { new: 0, old: Some(5), reason: Reason::Cost(HOSTILE) }),
        };
        for html in [page(&snapshot, context), login(HOSTILE, Some(HOSTILE))] {
            assert!(!html.contains("<script>") && !html.contains("\"'"), "{html}");
            assert!(html.contains("&#60;script&#62;"), "{html}");
        }
    }

    #[test]
    fn how_it_stands_is_said_in_a_few_words() {
        let counts =
            |desired, current, ready, settled| Some(Replicas { desired, current, ready, settled });
        for (replicas, has_trouble, expected) in [
            (None, false, ("Not known", "unknown")),
            (counts(3, 3, Some(3), true), false, ("All are ready", "settled")),
            (counts(0, 0, Some(0), true), false, ("None are wanted", "settled")),
            (counts(3, 1, Some(1), false), false, ("1 of 3 ready", "moving")),
            (counts(1, 3, Some(3), false), false, ("2 leaving", "moving")),
            (counts(3, 1, None, false), false, ("1 of 3 there", "moving")),
            (counts(3, 3, Some(1), false), true, ("1 of 3 ready", "stuck")),
        ] {
            let mut snapshot = snapshot("x", 0);
            snapshot.replicas = replicas;
            snapshot.troubles.truncate(has_trouble.into());
            let (text, state) = standing(&snapshot);
            assert_eq!((text.as_str(), state), expected, "{replicas:?}");
            assert!(shown(&snapshot).contains(expected.0));
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
    fn the_whole_page_is_light() {
        let html = shown(&snapshot("locust-slave-7d6d865b5d-6nng4", 20)).len();
        let files: usize = ASSETS.iter().map(|asset| asset.body.len()).sum();
        assert!(html + files < 60 * 1024, "{html} and {files} bytes");
    }

    #[test]
    fn nothing_in_it_runs_or_loads_from_elsewhere() {
        let html = shown(&snapshot("x", 1)) + &login("", None);
        for forbidden in ["style=", "http:", "https:", "//"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        let mut words = html.split_whitespace();
        let handler = words.find(|word| word.starts_with("on") && word.contains('='));
        assert_eq!(handler, None);
    }
}
