//! Tests that a kubeconfig means the same as JSON and as YAML.

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::*;

/// Texts that YAML reads as another type, and texts that it must escape.
const TRICKY: [&str; 34] = [
    "",
    " ",
    "yes",
    "n",
    "null",
    "~",
    "0123",
    "0x1f",
    "1e5",
    "1_000",
    ".inf",
    "12:30",
    "2026-11-23",
    "a: b",
    "a #b",
    "- a",
    "? a",
    "*a",
    "&a b",
    "!a",
    "%a",
    "@a",
    "`a",
    "{a",
    "[a]",
    "'a'",
    "\"a\"",
    "\\a",
    "<<",
    "---",
    "a\nb\n",
    "\n  a \n\n",
    "a\tb\r\u{1b}",
    "ä\u{2028}\u{85}\u{1f600}\u{feff}",
];

/// Generates values of all kinds. The same seed gives the same values.
struct Generator(fastrand::Rng);

impl Generator {
    fn text(&mut self) -> String {
        let pieces = if self.0.u8(0..10) == 0 { 40 } else { self.0.usize(0..4) };
        let piece = |random: &mut fastrand::Rng| match random.bool() {
            true => random.choice(TRICKY).unwrap().to_owned(),
            false => random.choice(["word ", "/path", "x", ": "]).unwrap().to_owned(),
        };
        (0..pieces).map(|_| piece(&mut self.0)).collect()
    }

    /// kubectl prints the key `<<` without quotes, and would read it back as a merge.
    fn key(&mut self) -> String {
        Some(self.text()).filter(|key| key != "<<").unwrap_or_default()
    }

    fn list(&mut self) -> Value {
        (0..self.0.usize(0..4)).map(|_| self.text()).collect()
    }

    fn any(&mut self, depth: u8) -> Value {
        match self.0.u8(0..if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => self.0.bool().into(),
            2 => self.0.i64(..).into(),
            3 => self.text().into(),
            4 => (0..self.0.usize(0..4)).map(|_| self.any(depth - 1)).collect(),
            _ => (0..self.0.usize(0..4))
                .map(|_| (self.key(), self.any(depth - 1)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// Some of these fields, in any order.
    fn some(&mut self, fields: Value) -> Value {
        let Value::Object(fields) = fields else { return fields };
        fields.into_iter().filter(|_| self.0.u8(0..4) > 0).collect::<Map<_, _>>().into()
    }

    fn kubeconfig(&mut self) -> Value {
        let (cluster, user, context) = (self.text(), self.text(), self.text());
        let extension =
            json!({"name": "client.authentication.k8s.io/exec", "extension": self.any(3)});
        let server = format!("https://h/{}", self.0.alphanumeric());
        let cluster_fields = json!({
            "server": server, "tls-server-name": self.text(), "disable-compression": self.0.bool(),
            "insecure-skip-tls-verify": self.0.bool(), "extensions": [extension], "unknown": self.any(3),
        });
        let exec = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": "c", "args": self.list(),
            "env": [{"name": "n", "value": self.text()}], "installHint": self.text(),
            "provideClusterInfo": self.0.bool(), "interactiveMode": "Never",
        });
        let mut settings = Map::new();
        for _ in 0..3 {
            settings.insert(self.key(), self.text().into());
        }
        let user_fields = match self.0.u8(0..4) {
            0 => json!({"exec": exec}),
            1 => json!({"auth-provider": {"name": self.text(), "config": settings}}),
            2 => json!({"username": self.text(), "password": self.text()}),
            _ => json!({
                "token": self.text(), "as": self.text(), "as-groups": self.list(),
                "as-user-extra": {self.key(): self.list()}, "unknown": self.any(3),
            }),
        };
        let context_fields = json!({"cluster": cluster, "user": user, "namespace": self.text()});
        json!({
            "current-context": context,
            "clusters": [{"name": cluster, "cluster": self.some(cluster_fields)}],
            "users": [{"name": user, "user": self.some(user_fields)}],
            "contexts": [{"name": context, "context": self.some(context_fields)}],
        })
    }
}

/// The resolved content of a kubeconfig, including its secrets.
fn meaning(content: &str) -> Result<String, String> {
    let access = resolve_content(content.as_bytes()).map_err(|err| err.to_string())?;
    let user = &access.user;
    let shown = |secret: &secrecy::SecretString| secret.expose_secret().to_owned();
    let exec = user.exec.as_ref().map(|exec| {
        let env: Vec<_> = exec.env.iter().map(|(name, value)| (name, shown(value))).collect();
        format!("{:?} {env:?} {:?} {exec:?}", exec.args, exec.install_hint)
    });
    let settings = user.auth_provider.as_ref().map(|provider| {
        provider.config.iter().map(|(name, value)| (name, shown(value))).collect::<Vec<_>>()
    });
    let secrets = (user.token.as_ref().map(shown), user.password.as_ref().map(shown));
    Ok(format!("{access:?} {exec:?} {settings:?} {secrets:?}"))
}

/// JSON whose line breaks of Unicode are escaped. YAML folds them, unlike JSON.
fn escaped_breaks(json: &str) -> String {
    let escape = |text: String, c: char| text.replace(c, &format!("\\u{:04x}", c as u32));
    ['\u{85}', '\u{2028}', '\u{2029}'].into_iter().fold(json.to_owned(), escape)
}

#[test]
fn json_and_yaml_mean_the_same() {
    for seed in 0..1500 {
        let config = Generator(fastrand::Rng::with_seed(seed)).kubeconfig();
        let yaml = crate::text::yaml::print(&config);
        let json = escaped_breaks(&config.to_string());
        let expected = meaning(&json);
        assert_eq!(meaning(&yaml), expected, "seed {seed}:\n{yaml}");
        let pretty = escaped_breaks(&format!("{config:#}"));
        assert_eq!(meaning(&pretty), expected, "seed {seed}");
        if json.is_ascii() {
            // A text with a comment is not JSON and goes through the YAML reader.
            assert_eq!(meaning(&format!("# c\n{json}")), expected, "seed {seed}:\n{json}");
        }
    }
}
