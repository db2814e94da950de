//! `auth-provider: oidc`: an id-token. An expired one is renewed at its issuer and written back to
//! the kubeconfig, as client-go's `plugin/pkg/client/auth/oidc` does.

mod id_token;
mod issuer;
mod token_pair;
mod token_response;

use std::time::Duration;

use anyhow::Result;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use self::issuer::Issuer;
use self::token_pair::TokenPair;
use crate::cluster::kubeconfig::{AuthProvider, ConfigError, TokenStore, User};

/// The limit for all requests of one renewal together.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The login of one user.
#[derive(Debug)]
pub(super) struct Oidc {
    issuer: Issuer,
    store: Option<TokenStore>,
    tokens: Mutex<Tokens>,
    /// True if an expired id-token is not renewed.
    pub is_unattended: bool,
}

#[derive(Debug)]
struct Tokens {
    current: TokenPair,
    /// The tokens in the kubeconfig when it was last read.
    stored: TokenPair,
}

impl Oidc {
    /// Checks the settings, without a request.
    ///
    /// # Errors
    /// A setting is missing, or the trust roots are invalid. The text is kubectl's.
    pub fn new(provider: &AuthProvider, user: &User) -> Result<Self> {
        Self::within(provider, user, TIMEOUT)
    }

    fn within(provider: &AuthProvider, user: &User, timeout: Duration) -> Result<Self> {
        let pair = TokenPair::of(&provider.config);
        Ok(Self {
            issuer: Issuer::new(&provider.config, timeout)?,
            store: TokenStore::of(user),
            tokens: Mutex::new(Tokens { current: pair.clone(), stored: pair }),
            is_unattended: false,
        })
    }

    /// A valid id-token: the current one, or a new one from the issuer. Other callers wait while it
    /// is renewed.
    ///
    /// # Errors
    /// [`ConfigError::Credentials`] in kubectl's words: there is no refresh token, the issuer
    /// refuses, or the kubeconfig cannot be written.
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
        // Another program may have renewed the tokens, and used our refresh token for it.
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
            // A refresh token may be valid for one use only, so first make sure that the new one
            // can be stored.
            store.check().await.map_err(not_stored)?;
        }
        let renewed = self.issuer.renew(&tokens.current.refresh).await?;
        // This comes before storing: if that fails, a running process still has the new tokens.
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
