//! The program in a pod: Locust's master, a worker, or another program.

use serde_json::Value;

use crate::sandbox::object;

/// The port of Locust's web UI without `--web-port`.
const WEB_PORT: u16 = 8089;

/// Locust, as a pod runs it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// A master, or a Locust without workers.
    Master(WebUi),
    /// A worker, with the host of its master.
    Worker { master: Option<String> },
}

/// The web UI of a master.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WebUi {
    /// `None` with `--headless`.
    pub port: Option<u16>,
    /// Without slashes at both ends; empty without `--web-base-path`.
    pub base_path: String,
    pub is_tls: bool,
    /// It asks for a login.
    pub has_login: bool,
}

impl Program {
    /// The program of a pod; `None` if no container of it runs Locust.
    ///
    /// Locust's options come from the command line and from variables such as `LOCUST_MODE_WORKER`. Images
    /// of tutorials also read `LOCUST_MODE`, or put a variable into the command line. Without any of them,
    /// an image with `locust` in its name runs a single Locust.
    pub(super) fn of(pod: &Value) -> Option<Self> {
        let containers = pod["spec"]["containers"].as_array();
        containers.into_iter().flatten().find_map(|container| Settings::new(container).program())
    }
}

/// The words and variables of one container.
struct Settings<'a> {
    image: &'a str,
    words: Vec<&'a str>,
    variables: Vec<(&'a str, &'a str)>,
}

impl<'a> Settings<'a> {
    fn new(container: &'a Value) -> Self {
        let list = |field: &str| container[field].as_array().into_iter().flatten();
        let variable = |one: &'a Value| (object::text(one, "/name"), object::text(one, "/value"));
        let variables: Vec<_> = list("env").map(variable).collect();
        let typed = list("command").chain(list("args")).filter_map(Value::as_str);
        // A shell splits its script into words. Some images append a variable to Locust's command line.
        let appended =
            variables.iter().map(|(_, value)| *value).filter(|value| value.starts_with('-'));
        let words = typed.chain(appended).flat_map(str::split_whitespace).collect();
        Self { image: object::text(container, "/image"), words, variables }
    }

    fn program(&self) -> Option<Program> {
        let mode = self.variable(&["LOCUST_MODE"]).unwrap_or_default().to_ascii_lowercase();
        let is_master =
            self.has(&["--master"]) || self.is_set("LOCUST_MODE_MASTER") || mode == "master";
        let is_worker = self.has(&["--worker", "--slave"])
            || self.is_set("LOCUST_MODE_WORKER")
            || matches!(mode.as_str(), "worker" | "slave")
            || self.variable(&["LOCUST_MASTER_NODE_HOST"]).is_some();
        if is_worker && !is_master {
            return Some(Program::Worker { master: self.master() });
        }
        let is_locust = is_master || self.image.contains("locust") || self.has(&["locust"]);
        is_locust.then(|| Program::Master(self.web_ui()))
    }

    fn master(&self) -> Option<String> {
        const VARIABLES: [&str; 4] =
            ["LOCUST_MASTER_NODE_HOST", "LOCUST_MASTER_HOST", "LOCUST_MASTER", "LOCUST_MASTER_URL"];
        let host = self.value(&["--master-host", "-H"]).or_else(|| self.variable(&VARIABLES))?;
        host.split('.').next().map(str::to_owned)
    }

    fn web_ui(&self) -> WebUi {
        let port =
            self.value(&["--web-port", "-P"]).or_else(|| self.variable(&["LOCUST_WEB_PORT"]));
        let port = port.and_then(|port| port.parse().ok()).unwrap_or(WEB_PORT);
        let base = self.value(&["--web-base-path"]);
        let base = base.or_else(|| self.variable(&["LOCUST_WEB_BASE_PATH"])).unwrap_or_default();
        let is_headless = self.has(&["--headless", "--no-web"]) || self.is_set("LOCUST_HEADLESS");
        WebUi {
            port: (!is_headless).then_some(port),
            base_path: base.trim_matches('/').to_owned(),
            is_tls: self.value(&["--tls-cert"]).is_some()
                || self.variable(&["LOCUST_TLS_CERT"]).is_some(),
            has_login: self.has(&["--web-login", "--web-auth"]) || self.is_set("LOCUST_WEB_LOGIN"),
        }
    }

    /// True if one of these flags was given, with or without a value.
    fn has(&self, flags: &[&str]) -> bool {
        self.words.iter().any(|word| flags.contains(&word.split('=').next().unwrap_or(word)))
    }

    /// The value of `--flag VALUE` or `--flag=VALUE`.
    fn value(&self, flags: &[&str]) -> Option<&'a str> {
        let at = self
            .words
            .iter()
            .position(|word| flags.contains(&word.split('=').next().unwrap_or(word)))?;
        let value = match self.words[at].split_once('=') {
            Some((_, value)) => Some(value),
            None => self.words.get(at + 1).copied(),
        };
        value.map(|value| self.expanded(value)).filter(|value| !value.is_empty())
    }

    /// The value of `$(NAME)`, as Kubernetes expands it. Another text stays.
    fn expanded(&self, text: &'a str) -> &'a str {
        let name = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
        name.map_or(text, |name| self.variable(&[name]).unwrap_or_default())
    }

    fn variable(&self, names: &[&str]) -> Option<&'a str> {
        let value = |name: &&str| self.variables.iter().find(|(key, _)| key == name);
        let found = names.iter().find_map(value).map(|(_, value)| *value);
        found.filter(|value| !value.is_empty())
    }

    /// True if the variable is set to anything but a false boolean.
    fn is_set(&self, name: &str) -> bool {
        let value = self.variable(&[name]).unwrap_or_default().to_ascii_lowercase();
        !matches!(value.as_str(), "" | "false" | "0" | "no" | "off")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn program(container: Value) -> Option<Program> {
        Program::of(&json!({ "spec": { "containers": [container] } }))
    }

    fn worker(master: &str) -> Option<Program> {
        let master = Some(master.to_owned()).filter(|master| !master.is_empty());
        Some(Program::Worker { master })
    }

    #[test]
    fn workers_are_known_by_their_command_and_variables() {
        let env = |name: &str, value: &str| json!([{ "name": name, "value": value }]);
        for (container, expected) in [
            (json!({ "args": ["--worker", "--master-host", "m"] }), worker("m")),
            (json!({ "args": ["-f", "x.py", "--slave", "--master-host=m.ns.svc"] }), worker("m")),
            (json!({ "command": ["sh", "-c", "locust --worker --master-host=m"] }), worker("m")),
            (json!({ "env": env("LOCUST_MODE", "SLAVE") }), worker("")),
            (json!({ "env": env("LOCUST_MODE_WORKER", "true") }), worker("")),
            (json!({ "env": env("LOCUST_MASTER_NODE_HOST", "m") }), worker("m")),
            (json!({ "env": env("LOCUST_OPTIONS", "--worker --master-host m") }), worker("m")),
            (json!({ "image": "nginx", "args": ["-g", "daemon off;"] }), None),
            (json!({ "image": 3, "args": "--worker", "env": [{ "name": 1 }] }), None),
        ] {
            assert_eq!(program(container.clone()), expected, "{container}");
        }
    }

    #[test]
    fn the_web_ui_follows_the_masters_options() {
        let ui = |port: Option<u16>, base: &str, is_tls: bool, has_login: bool| {
            Some(Program::Master(WebUi { port, base_path: base.to_owned(), is_tls, has_login }))
        };
        let env = |name: &str, value: &str| json!([{ "name": name, "value": value }]);
        for (container, expected) in [
            (json!({ "args": ["--master"] }), ui(Some(8089), "", false, false)),
            (json!({ "args": ["--master", "--web-port=3000"] }), ui(Some(3000), "", false, false)),
            (json!({ "args": ["--master", "-P", "80"] }), ui(Some(80), "", false, false)),
            (json!({ "args": ["--master", "--headless"] }), ui(None, "", false, false)),
            (
                json!({ "args": ["--master", "--web-base-path", "/load/", "--tls-cert=/x"] }),
                ui(Some(8089), "load", true, false),
            ),
            (json!({ "args": ["--master", "--web-login"] }), ui(Some(8089), "", false, true)),
            (json!({ "env": env("LOCUST_MODE", "MASTER") }), ui(Some(8089), "", false, false)),
            (json!({ "env": env("MODE", "--master") }), ui(Some(8089), "", false, false)),
            (json!({ "image": "x/locust:1" }), ui(Some(8089), "", false, false)),
        ] {
            assert_eq!(program(container.clone()), expected, "{container}");
        }
    }
}
