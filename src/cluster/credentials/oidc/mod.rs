//! `auth-provider: oidc`: an id-token, renewed at its issuer when it has expired and written back
//! to the kubeconfig. As client-go `plugin/pkg/client/auth/oidc` does.

mod answer;
mod id_token;
mod issuer;
mod token_pair;

use std::time::Duration;

use anyhow::Result;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use self::issuer::Issuer;
use self::token_pair::TokenPair;
use crate::cluster::kubeconfig::{AuthProvider, ConfigError, Store, User};

/// For the issuer to answer everything that it is asked.
const PATIENCE: Duration = Duration::from_secs(30);

/// The login of one user.
#[derive(Debug)]
pub(super) struct Oidc {
    issuer: Issuer,
    store: Option<Store>,
    tokens: Mutex<Tokens>,
    /// Whether an expired id-token stays as it is.
    pub is_unattended: bool,
}

#[derive(Debug)]
struct Tokens {
    current: TokenPair,
    /// What the kubeconfig said when it was last looked at.
    stored: TokenPair,
}

impl Oidc {
    /// Checks the settings; asks nobody anything.
    ///
    /// # Errors
    /// Missing settings and trust roots that cannot be used, in kubectl's words.
    pub fn new(provider: &AuthProvider, user: &User) -> Result<Self> {
        Self::within(provider, user, PATIENCE)
    }

    fn within(provider: &AuthProvider, user: &User, patience: Duration) -> Result<Self> {
        let pair = TokenPair::of(&provider.config);
        Ok(Self {
            issuer: Issuer::new(&provider.config, patience)?,
            store: Store::of(user),
            tokens: Mutex::new(Tokens { current: pair.clone(), stored: pair }),
            is_unattended: false,
        })
    }

    /// A valid id-token: the one at hand, or a new one from the issuer. Callers that come while
    /// it is being renewed wait for it.
    ///
    /// # Errors
    /// In kubectl's words, as [`ConfigError::Credentials`]: nothing to renew it with, an issuer
    /// that refuses, a kubeconfig that cannot be written.
    pub async fn token(&self) -> Result<SecretString> {
        let mut tokens = self.tokens.lock().await;
        match self.valid(&mut tokens).await {
            Ok(token) => Ok(token),
            Err(problem) => Err(ConfigError::Credentials(problem).into()),
        }
    }

    async fn valid(&self, tokens: &mut Tokens) -> Result<SecretString, String> {
        if let Some(token) = tokens.current.valid()? {
            return Ok(token);
        }
        // Another program may have renewed the tokens since, and used up our refresh token with it.
        let store = self.store.as_ref().and_then(|store| Some((store, store.load()?)));
        if let Some((_, config)) = &store {
            let now = TokenPair::of(config);
            if !now.is_same(&tokens.stored) {
                *tokens = Tokens { current: now.clone(), stored: now };
                if let Some(token) = tokens.current.valid()? {
                    return Ok(token);
                }
            }
        }
        if self.is_unattended {
            return Err("the id-token has expired".to_owned());
        }
        if tokens.current.refresh.expose_secret().is_empty() {
            let text = "No valid id-token, and cannot refresh without refresh-token";
            return Err(text.to_owned());
        }
        let not_stored = |problem: String| format!("could not persist new tokens: {problem}");
        if let Some((store, _)) = &store {
            // A refresh token may be good for one use only: first make sure that its successor
            // will not be lost.
            store.check().await.map_err(not_stored)?;
        }
        let renewed = self.issuer.renew(&tokens.current.refresh).await?;
        // Even if they cannot be stored: in a process that goes on, they are all that is left.
        tokens.current = renewed;
        if let Some((store, _)) = &store {
            let TokenPair { id, refresh } = &tokens.current;
            let changes = [("id-token", id), ("refresh-token", refresh)];
            store.save(&changes).await.map_err(not_stored)?;
            tokens.stored = tokens.current.clone();
        }
        Ok(tokens.current.id.clone())
    }
}

#[cfg(test)]
mod tests;
