//! The facts about a container that say how it starts Locust: its words, its variables, its ports.

use serde_json::Value;

/// Maximum number of words of a container that are read. A container of Locust has some dozens.
const MAX_WORDS: usize = 4000;

/// Maximum length of a text that is split into words, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// The program, the flags and the variables of a container. Values that only the cluster knows (`valueFrom`)
/// are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launch {
    /// Name of the container.
    pub name: String,
    pub image: String,
    /// The words of the command, of the arguments, and of variables that hold flags.
    pub words: Vec<String>,
    /// The variables; `None` for a value that comes from another object.
    pub variables: Vec<(String, Option<String>)>,
    /// Names of the ConfigMaps and Secrets that all variables of `envFrom` come from.
    pub sources: Vec<String>,
    /// The ports with their names. A port without a name has an empty one.
    pub ports: Vec<(String, u16)>,
}

impl Launch {
    /// Reads the containers of a pod spec. Fields with another type than in Kubernetes are left out.
    pub fn of_pod_spec(spec: &Value) -> Vec<Self> {
        list(&spec["containers"]).map(Self::of_container).collect()
    }

    fn of_container(container: &Value) -> Self {
        let variables: Vec<_> = list(&container["env"]).filter_map(variable).collect();
        let texts = [&container["command"], &container["args"]].into_iter().flat_map(list);
        let texts = texts.filter_map(Value::as_str).map(|text| expand(text, &variables));
        let flags = variables.iter().filter_map(|(_, value)| value.clone());
        let texts = texts.chain(flags.filter(|value| holds_flags(value)));
        let words = texts.flat_map(|text| words(&text)).take(MAX_WORDS).collect();
        let source = |from: &Value| {
            let reference =
                ["configMapRef", "secretRef"].iter().find_map(|kind| from[*kind]["name"].as_str());
            reference.map(str::to_owned)
        };
        Self {
            name: text(&container["name"]),
            image: text(&container["image"]),
            words,
            sources: list(&container["envFrom"]).filter_map(source).collect(),
            ports: list(&container["ports"]).filter_map(port).collect(),
            variables,
        }
    }

    /// One of these words is in the command. Upper and lower case are different, as in Locust.
    pub fn has_word(&self, wanted: &[&str]) -> bool {
        self.words.iter().any(|word| wanted.contains(&word.as_str()))
    }

    /// The last value of a flag, as in Locust: `--flag=value`, or the word after `--flag`.
    pub fn flag(&self, names: &[&str]) -> Option<&str> {
        let mut found = None;
        for (index, word) in self.words.iter().enumerate() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.as_str(), None),
            };
            if names.contains(&name) {
                let next = || self.words.get(index + 1).map(String::as_str);
                found = value.or_else(next).filter(|value| !value.starts_with('-')).or(found);
            }
        }
        found
    }

    /// The value of a variable; `None` if it does not exist, is empty or unknown.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name)?;
        found.1.as_deref().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The flag or, without it, the variable. Locust reads both, and the flag is stronger.
    pub fn setting(&self, flags: &[&str], variable: &str) -> Option<&str> {
        self.flag(flags).or_else(|| self.variable(variable))
    }

    /// [`Self::setting`], or an empty text if the variable exists, but only the cluster knows its value.
    pub fn setting_or_unknown(&self, flags: &[&str], variable: &str) -> Option<&str> {
        let is_unknown =
            || self.variables.iter().any(|(name, value)| name == variable && value.is_none());
        self.setting(flags, variable).or_else(|| is_unknown().then_some(""))
    }

    /// A switch that is on: the flag without a value, or the variable with `true`.
    pub fn is_on(&self, flags: &[&str], variable: &str) -> bool {
        self.has_word(flags)
            || self.variable(variable).is_some_and(|value| truth(value) == Some(true))
    }
}

/// The boolean that a variable holds, as Locust's parser reads it; `None` for any other text.
pub fn truth(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Some(true),
        "false" | "no" | "0" | "off" => Some(false),
        _ => None,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn variable(entry: &Value) -> Option<(String, Option<String>)> {
    let value = match &entry["valueFrom"] {
        Value::Null => Some(text(&entry["value"])),
        _ => None,
    };
    Some((entry["name"].as_str()?.to_owned(), value))
}

fn port(entry: &Value) -> Option<(String, u16)> {
    let number = u16::try_from(entry["containerPort"].as_u64()?).ok()?;
    Some((text(&entry["name"]), number))
}

/// Replaces `$(NAME)`, as Kubernetes does, and `${NAME}` and `$NAME`, as a shell does. A name without a
/// known value stays.
fn expand(text: &str, variables: &[(String, Option<String>)]) -> String {
    let mut text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().to_owned();
    if !text.contains('$') {
        return text;
    }
    let mut known: Vec<_> =
        variables.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
    // `$A` is the beginning of `$AB`.
    known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, value) in known {
        for form in [format!("$({name})"), format!("${{{name}}}"), format!("${name}")] {
            text = text.replace(&form, value);
            if text.len() > MAX_TEXT {
                return text;
            }
        }
    }
    text
}

/// The text is a list of flags for Locust's command line, such as `--worker --master-host=a`.
fn holds_flags(value: &str) -> bool {
    value.split_whitespace().any(|word| word.starts_with("--"))
}

/// Splits a text into words, as a shell does for the simple commands that start Locust.
fn words(text: &str) -> Vec<String> {
    let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
    // A shell removes quotes; the texts of interest have no blanks inside quotes.
    let text = text.replace(['"', '\'', '`'], "");
    let is_break = |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|');
    let is_bracket = |c: char| matches!(c, '(' | ')' | '{' | '}' | '[' | ']' | ',' | '\\');
    let words = text.split(is_break).map(|word| word.trim_matches(is_bracket));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn launch(container: Value) -> Launch {
        Launch::of_pod_spec(&json!({"containers": [container]})).remove(0)
    }

    #[test]
    fn a_shell_command_is_split_into_words() {
        let shell = launch(json!({
            "command": ["/bin/sh", "-c"],
            "args": ["cd /x && exec locust -f \"a.py\" --worker --master-host='locust-master';"],
        }));
        assert!(shell.has_word(&["--worker"]));
        assert_eq!(shell.flag(&["--master-host"]), Some("locust-master"));
        assert_eq!(shell.flag(&["-f"]), Some("a.py"));
    }

    #[test]
    fn variables_are_expanded_and_variables_with_flags_are_read() {
        let container = launch(json!({
            "args": ["$(MODE)", "--web-port", "${PORT}", "$UNKNOWN"],
            "env": [
                {"name": "MODE", "value": "--master"}, {"name": "PORT", "value": "3000"},
                {"name": "LOCUST_OPTIONS", "value": "--headless --users 5"},
                {"name": "UNKNOWN", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}},
            ],
        }));
        assert!(container.has_word(&["--master"]) && container.has_word(&["--headless"]));
        assert_eq!(container.setting(&["--web-port", "-P"], "LOCUST_WEB_PORT"), Some("3000"));
        assert_eq!(container.variable("UNKNOWN"), None);
    }

    #[test]
    fn the_last_flag_counts_and_fields_of_another_type_are_left_out() {
        let flags = launch(json!({"args": ["--web-port=1", "-P", "2", "--host", "--x"]}));
        assert_eq!(flags.flag(&["--web-port", "-P"]), Some("2"));
        assert_eq!(flags.flag(&["--host"]), None);
        let odd = launch(json!({"args": {"a": 1}, "env": [1, {"name": 2}], "ports": [{}, 5],
            "image": 7, "envFrom": "x"}));
        assert_eq!(odd, Launch::default());
        assert_eq!(Launch::of_pod_spec(&json!(5)), []);
    }

    #[test]
    fn a_switch_can_be_a_flag_or_a_variable() {
        let on = |value: &str| {
            let env = json!([{"name": "LOCUST_HEADLESS", "value": value}]);
            launch(json!({"env": env})).is_on(&["--headless"], "LOCUST_HEADLESS")
        };
        assert!(on("true") && on("True") && on("1") && !on("false") && !on("") && !on("maybe"));
    }
}
