//! People who have logged in.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use rustls::crypto::ring;
use secrecy::SecretString;
use tokio::time::Instant;

/// Then one has to log in again.
pub(super) const LASTS: Duration = Duration::from_secs(12 * 60 * 60);

/// Without a request for so long, too. An open page asks at least each hour.
const IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// The one that was used longest ago goes when there are more.
const MOST: usize = 1000;

/// Somebody who has logged in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// By which they did: with it the session ends.
    pub token: SecretString,
    began: Instant,
    used: Instant,
}

/// All of them, by their ids.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

/// Who knows an id is in: none is shown.
impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sessions({})", self.lock().len())
    }
}

impl Sessions {
    /// Begins one; gives its id, which nobody can guess.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn begin(&self, token: SecretString) -> Result<String> {
        let mut bytes = [0_u8; 32];
        let random = ring::default_provider().secure_random;
        random.fill(&mut bytes).map_err(|_| anyhow!("the system gives no random numbers"))?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Instant::now();
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.is_alive(now));
        if sessions.len() >= MOST
            && let Some(oldest) = oldest(&sessions)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(id.clone(), Session { token, began: now, used: now });
        Ok(id)
    }

    /// The session of this id, if it still lives.
    pub(super) fn find(&self, id: &str) -> Option<Session> {
        let now = Instant::now();
        let mut sessions = self.lock();
        let session = sessions.get_mut(id).filter(|session| session.is_alive(now))?;
        session.used = now;
        Some(session.clone())
    }

    /// Ends it; gives it back if there was one.
    pub(super) fn end(&self, id: &str) -> Option<Session> {
        self.lock().remove(id)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is_alive(&self, now: Instant) -> bool {
        now.duration_since(self.began) < LASTS && now.duration_since(self.used) < IDLE
    }
}

fn oldest(sessions: &HashMap<String, Session>) -> Option<String> {
    let oldest = sessions.iter().min_by_key(|(_, session)| session.used);
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
    async fn a_session_ends_when_it_is_not_used_and_after_half_a_day_anyhow() {
        let sessions = Sessions::default();
        let idle = begin(&sessions);
        let used = begin(&sessions);
        for _ in 0..7 {
            advance(IDLE - Duration::from_secs(60 * 20)).await;
            let is_alive = sessions.find(&used).is_some();
            assert!(is_alive);
        }
        assert!(sessions.find(&idle).is_none());
        advance(IDLE - Duration::from_secs(60 * 20)).await;
        assert!(sessions.find(&used).is_none(), "after more than twelve hours");
    }

    #[tokio::test(start_paused = true)]
    async fn ids_cannot_be_guessed_and_an_ended_session_is_gone() {
        let sessions = Sessions::default();
        let (one, other) = (begin(&sessions), begin(&sessions));
        assert!(one != other && one.len() == 64);
        assert!(sessions.end(&one).is_some());
        assert!(sessions.find(&one).is_none() && sessions.find(&other).is_some());
        assert!(sessions.find("").is_none() && sessions.end("x").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_used_longest_ago_makes_room() {
        let sessions = Sessions::default();
        let first = begin(&sessions);
        advance(Duration::from_secs(1)).await;
        let second = begin(&sessions);
        advance(Duration::from_secs(1)).await;
        for _ in 2..MOST {
            begin(&sessions);
        }
        advance(Duration::from_secs(1)).await;
        sessions.find(&first).unwrap();
        begin(&sessions);
        assert!(sessions.find(&first).is_some() && sessions.find(&second).is_none());
    }
}
