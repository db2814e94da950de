//! The sessions of logged-in people.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Result, anyhow};
use parking_lot::{Mutex, MutexGuard};
use rustls::crypto::ring;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

/// Longest life of a session.
pub(super) const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// Idle timeout of a session. An open page sends a request at least every hour.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

/// Limit on open sessions. A new one evicts the least recently used one of the token with most sessions.
const MAX_SESSIONS: usize = 1000;

/// Limit on open sessions of one token. A new one evicts the least recently used one of this token.
const MAX_PER_TOKEN: usize = 100;

#[derive(Debug, Clone)]
pub(super) struct Session {
    /// The token of the login. The session ends when this token is no longer valid.
    pub token: SecretString,
    began: Instant,
    used: Instant,
}

/// The open sessions, by id.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

/// Hides the ids: an id gives access.
impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sessions({})", self.lock().len())
    }
}

impl Sessions {
    /// Opens a session and returns its random id.
    ///
    /// # Errors
    /// The system does not provide random numbers.
    pub(super) fn begin(&self, token: SecretString) -> Result<String> {
        let mut bytes = [0_u8; 32];
        let random = ring::default_provider().secure_random;
        random.fill(&mut bytes).map_err(|_| anyhow!("the system provides no random numbers"))?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Instant::now();
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.is_alive(now));
        let crowded = match count(&sessions, &token) {
            MAX_PER_TOKEN.. => Some(token.clone()),
            _ if sessions.len() >= MAX_SESSIONS => most_used_token(&sessions),
            _ => None,
        };
        if let Some(oldest) = crowded.and_then(|token| least_recently_used(&sessions, &token)) {
            sessions.remove(&oldest);
        }
        sessions.insert(id.clone(), Session { token, began: now, used: now });
        Ok(id)
    }

    /// The session with this id, unless it has expired.
    pub(super) fn find(&self, id: &str) -> Option<Session> {
        let now = Instant::now();
        let mut sessions = self.lock();
        let session = sessions.get_mut(id).filter(|session| session.is_alive(now))?;
        session.used = now;
        Some(session.clone())
    }

    /// Closes the session with this id, and returns it.
    pub(super) fn end(&self, id: &str) -> Option<Session> {
        self.lock().remove(id)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock()
    }
}

impl Session {
    fn is_of(&self, token: &SecretString) -> bool {
        self.token.expose_secret() == token.expose_secret()
    }

    fn is_alive(&self, now: Instant) -> bool {
        now.duration_since(self.began) < LIFETIME && now.duration_since(self.used) < IDLE_TIMEOUT
    }
}

/// The number of sessions of this token.
fn count(sessions: &HashMap<String, Session>, token: &SecretString) -> usize {
    sessions.values().filter(|session| session.is_of(token)).count()
}

/// The token with the most sessions.
fn most_used_token(sessions: &HashMap<String, Session>) -> Option<SecretString> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for session in sessions.values() {
        *counts.entry(session.token.expose_secret()).or_default() += 1;
    }
    let (token, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    Some(token.into())
}

fn least_recently_used(
    sessions: &HashMap<String, Session>,
    token: &SecretString,
) -> Option<String> {
    let of_token = sessions.iter().filter(|(_, session)| session.is_of(token));
    let oldest = of_token.min_by_key(|(_, session)| session.used);
    oldest.map(|(id, _)| id.clone())
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn begin(sessions: &Sessions) -> String {
        sessions.begin(SecretString::from("token")).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_after_its_idle_timeout_and_after_twelve_hours() {
        let sessions = Sessions::default();
        let idle = begin(&sessions);
        let used = begin(&sessions);
        for _ in 0..7 {
            advance(IDLE_TIMEOUT - Duration::from_secs(60 * 20)).await;
            let is_alive = sessions.find(&used).is_some();
            assert!(is_alive);
        }
        assert!(sessions.find(&idle).is_none());
        advance(IDLE_TIMEOUT - Duration::from_secs(60 * 20)).await;
        assert!(sessions.find(&used).is_none(), "after more than twelve hours");
    }

    #[tokio::test(start_paused = true)]
    async fn ids_are_random_and_a_closed_session_is_gone() {
        let sessions = Sessions::default();
        let (one, other) = (begin(&sessions), begin(&sessions));
        assert!(one != other && one.len() == 64);
        assert!(sessions.end(&one).is_some());
        assert!(sessions.find(&one).is_none() && sessions.find(&other).is_some());
        assert!(sessions.find("").is_none() && sessions.end("x").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_session_evicts_the_least_recently_used_one_of_its_token() {
        let sessions = Sessions::default();
        let first = begin(&sessions);
        advance(Duration::from_secs(1)).await;
        let second = begin(&sessions);
        advance(Duration::from_secs(1)).await;
        let of_other = sessions.begin(SecretString::from("other")).unwrap();
        for _ in 2..MAX_PER_TOKEN {
            begin(&sessions);
        }
        advance(Duration::from_secs(1)).await;
        sessions.find(&first).unwrap();
        begin(&sessions);
        assert!(sessions.find(&first).is_some() && sessions.find(&second).is_none());
        for _ in 0..MAX_SESSIONS {
            begin(&sessions);
        }
        assert!(sessions.find(&of_other).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_places_are_taken_the_token_with_most_sessions_loses_one() {
        let sessions = Sessions::default();
        let of = |token: String| sessions.begin(token.into()).unwrap();
        let single = of("single".to_owned());
        advance(Duration::from_secs(1)).await;
        let first_of_many = of("0".to_owned());
        for index in 2..MAX_SESSIONS {
            let token = if index <= MAX_PER_TOKEN { 0 } else { 1 + index % 10 };
            of(token.to_string());
        }
        of("new".to_owned());
        assert!(sessions.find(&single).is_some());
        assert_eq!(count(&sessions.lock(), &"0".into()), MAX_PER_TOKEN - 1);
        drop(first_of_many);
    }
}
