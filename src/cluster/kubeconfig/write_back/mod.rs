//! Renewed tokens go back into the kubeconfig that the old ones came from, with everything else
//! in it left as it is. As client-go `tools/clientcmd/config.go` does, which only keeps less.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{User, files, lock::Lock, replace::replace};
use crate::text::go::os_error;
use crate::text::yaml::read as yaml;

/// A kubeconfig is locked only while it is written.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shorter text is hardly a token, and not worth looking for.
const LEAST_TOKEN: usize = 8;

/// Where the settings of a user's `auth-provider` are kept.
#[derive(Debug)]
pub(crate) struct Store {
    file: PathBuf,
    user: String,
    patience: Duration,
}

impl Store {
    /// The store behind `user`; `None` when no file defines it.
    pub fn of(user: &User) -> Option<Self> {
        let file = user.defined_in.clone()?;
        Some(Self { file, user: user.name.clone(), patience: PATIENCE })
    }

    /// What the file says now; `None` when it no longer has such a user, or is no ordinary file
    /// (a pipe can be read but once).
    pub fn load(&self) -> Option<BTreeMap<String, SecretString>> {
        let mut document = yaml::parse(&self.read().ok()??).ok()?;
        let config = std::mem::take(settings(&mut document, &self.user)?);
        let text = |(name, value)| match value {
            Value::String(text) => Some((name, SecretString::from(text))),
            _ => None,
        };
        Some(config.into_iter().filter_map(text).collect())
    }

    /// Tells whether [`Store::save`] may work, before something is spent that cannot be had twice.
    ///
    /// # Errors
    /// The lock cannot be had.
    pub async fn check(&self) -> Result<(), String> {
        Lock::acquire(&self.file, self.patience).await.map(drop)
    }

    /// Changes some settings. Does nothing when the file no longer has such a user.
    ///
    /// # Errors
    /// The lock cannot be had, the file cannot be read or written; the file is as it was.
    pub async fn save(&self, changes: &[(&str, &SecretString)]) -> Result<(), String> {
        let _lock = Lock::acquire(&self.file, self.patience).await?;
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
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
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
    let entry = users.iter_mut().find(|entry| entry["name"] == user)?;
    let provider = entry.get_mut("user")?.get_mut("auth-provider")?.as_object_mut()?;
    let config = provider.entry("config").or_insert(Value::Null);
    if config.is_null() {
        *config = Value::Object(Map::new());
    }
    config.as_object_mut()
}

/// The content with the changes made; `None` when there is nothing to change.
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
            text = text.and_then(|text| exchanged(&text, old.as_ref()?.as_str()?, new));
        }
    }
    if before == after {
        return Ok(None);
    }
    // Whichever way the content was made, it counts only when it means what it shall mean.
    let fits = |text: &String| yaml::parse(text.as_bytes()).as_ref() == Ok(&after);
    // Exchanging the token where it stands keeps comments, order and style.
    if let Some(text) = text.filter(fits) {
        return Ok(Some(text.into_bytes()));
    }
    let is_json = serde_json::from_slice::<Value>(content).is_ok();
    let yaml = (!is_json).then(|| crate::text::yaml::print(&after));
    // JSON is YAML too, and leaves no doubt about any text.
    let json = Some(format!("{after:#}\n"));
    match [yaml, json].into_iter().flatten().find(fits) {
        Some(whole) => Ok(Some(whole.into_bytes())),
        None => Err("the kubeconfig cannot be written without changing its meaning".to_owned()),
    }
}

/// `text` with the only `old` in it replaced.
fn exchanged(text: &str, old: &str, new: &str) -> Option<String> {
    let is_clear = old.len() >= LEAST_TOKEN && text.matches(old).nth(1).is_none();
    is_clear.then(|| text.replacen(old, new, 1))
}

#[cfg(test)]
mod tests;
