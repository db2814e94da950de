//! The two tokens of a login.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::id_token;

/// An id-token, and the refresh token that gets the next one. A token that does not exist is empty.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenPair {
    pub id: SecretString,
    pub refresh: SecretString,
}

impl TokenPair {
    /// From the `config` of an `auth-provider`.
    pub fn of(config: &BTreeMap<String, SecretString>) -> Self {
        let get = |name: &str| config.get(name).cloned().unwrap_or_default();
        Self { id: get("id-token"), refresh: get("refresh-token") }
    }

    pub fn is_same(&self, other: &Self) -> bool {
        self.id.expose_secret() == other.id.expose_secret()
            && self.refresh.expose_secret() == other.refresh.expose_secret()
    }

    /// The id-token while it is valid; `None` when there is none.
    pub fn valid(&self) -> Result<Option<SecretString>, String> {
        let token = self.id.expose_secret();
        let is_valid = !token.is_empty() && id_token::is_valid(token)?;
        Ok(is_valid.then(|| self.id.clone()))
    }
}
