//! The write-back of renewed tokens to their kubeconfig. Everything else in the file stays.
//! client-go's `tools/clientcmd/config.go` does the same, but loses comments and unknown fields.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{User, files, lock::Lock, replace::replace};
use crate::text::go::os_error;
use crate::text::yaml::read as yaml;

/// The longest wait for the lock, which other programs hold only while they write.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Shorter texts are not searched for in the file: they are hardly tokens.
const MIN_TOKEN_LENGTH: usize = 8;

/// The settings of a user's `auth-provider` in a kubeconfig file.
#[derive(Debug)]
pub(crate) struct TokenStore {
    file: PathBuf,
    user: String,
    timeout: Duration,
}

impl TokenStore {
    /// The store of `user`; `None` if no file defines the user.
    pub fn of(user: &User) -> Option<Self> {
        let file = user.defined_in.clone()?;
        Some(Self { file, user: user.name.clone(), timeout: LOCK_TIMEOUT })
    }

    /// The settings in the file; `None` if the file no longer has the user, or is not an ordinary
    /// file. A pipe, for example, can be read only once.
    pub fn load(&self) -> Option<BTreeMap<String, SecretString>> {
        let mut document = yaml::parse(&self.read().ok()??).ok()?;
        let config = std::mem::take(settings(&mut document, &self.user)?);
        let text = |(name, value)| match value {
            Value::String(text) => Some((name, SecretString::from(text))),
            _ => None,
        };
        Some(config.into_iter().filter_map(text).collect())
    }

    /// Checks that [`TokenStore::save`] can take the lock, before a refresh token is used.
    ///
    /// # Errors
    /// The lock cannot be taken.
    pub async fn check(&self) -> Result<(), String> {
        Lock::acquire(&self.file, self.timeout).await.map(drop)
    }

    /// Changes some settings. Does nothing if the file no longer has the user.
    ///
    /// # Errors
    /// The lock cannot be taken, or the file cannot be read or written. The file stays unchanged.
    pub async fn save(&self, changes: &[(&str, &SecretString)]) -> Result<(), String> {
        let _lock = Lock::acquire(&self.file, self.timeout).await?;
        let Some(content) = self.read()? else {
            return Ok(());
        };
        let Some(content) = edited(&content, &self.user, changes)? else {
            return Ok(());
        };
        replace(&self.file, &content)
            .map_err(|err| format!("write {}: {}", self.file.display(), os_error(&err)))
    }

    #[cfg(test)]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    fn read(&self) -> Result<Option<Vec<u8>>, String> {
        match self.file.is_file() {
            true => files::read_bytes(&self.file),
            false => Ok(None),
        }
    }
}

/// The `auth-provider.config` of a user in a whole kubeconfig.
fn settings<'a>(document: &'a mut Value, user: &str) -> Option<&'a mut Map<String, Value>> {
    let users = document.get_mut("users")?.as_array_mut()?;
    // An entry without a name is the entry of the empty name.
    let is_of = |entry: &Value| entry["name"].as_str().unwrap_or_default() == user;
    let entry = users.iter_mut().find(|entry| is_of(entry))?;
    let provider = entry.get_mut("user")?.get_mut("auth-provider")?.as_object_mut()?;
    let config = provider.entry("config").or_insert(Value::Null);
    if config.is_null() {
        *config = Value::Object(Map::new());
    }
    config.as_object_mut()
}

/// The content with the changes; `None` if there is nothing to change.
fn edited(
    content: &[u8],
    user: &str,
    changes: &[(&str, &SecretString)],
) -> Result<Option<Vec<u8>>, String> {
    let before = yaml::parse(content)?;
    let mut after = before.clone();
    let Some(config) = settings(&mut after, user) else {
        return Ok(None);
    };
    let mut text = std::str::from_utf8(content).ok().map(str::to_owned);
    for (name, new) in changes {
        let new = new.expose_secret();
        let old = config.insert((*name).to_owned(), new.into());
        if old.as_ref().and_then(Value::as_str) != Some(new) {
            text = text.and_then(|text| with_replaced_token(&text, old.as_ref()?.as_str()?, new));
        }
    }
    if before == after {
        return Ok(None);
    }
    // A new content is used only if it parses to the intended values.
    let fits = |text: &String| yaml::parse(text.as_bytes()).as_ref() == Ok(&after);
    // Replacing the token in place keeps comments, order and style.
    if let Some(text) = text.filter(fits) {
        return Ok(Some(text.into_bytes()));
    }
    let is_json = serde_json::from_slice::<Value>(content).is_ok();
    let yaml = (!is_json).then(|| crate::text::yaml::print(&after));
    // JSON is valid YAML, and represents every text exactly.
    let json = Some(format!("{after:#}\n"));
    match [yaml, json].into_iter().flatten().find(fits) {
        Some(whole) => Ok(Some(whole.into_bytes())),
        None => Err("the kubeconfig cannot be written without changing its meaning".to_owned()),
    }
}

/// `text` with the only occurrence of `old` replaced; `None` if there are several.
fn with_replaced_token(text: &str, old: &str, new: &str) -> Option<String> {
    let is_unique = old.len() >= MIN_TOKEN_LENGTH && text.matches(old).nth(1).is_none();
    is_unique.then(|| text.replacen(old, new, 1))
}

#[cfg(test)]
mod tests;
