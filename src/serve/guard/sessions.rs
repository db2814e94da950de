//! The sessions of logged-in people. A session is in its cookie, signed: it outlives a restart of serve.
//! The table in memory limits the number of sessions of one token, and knows which ones have ended.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use parking_lot::{Mutex, MutexGuard};
use secrecy::{ExposeSecret, SecretString};

use super::session_key::{Claims, SessionId, SessionKey, TokenDigest};
use super::tokens::Tokens;

/// Longest life of a session.
pub(super) const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// Idle timeout of a session. An open page sends a request at least every hour.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

/// Time after which the browser gets a cookie with the time of the last use.
const RENEWAL: Duration = Duration::from_secs(10 * 60);

/// Tolerance for the clocks of other replicas.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// Limit on open sessions. A new one ends the least recently used one of the token with most sessions.
const MAX_SESSIONS: usize = 1000;

/// Limit on open sessions of one token. A new one ends the least recently used one of this token.
const MAX_PER_TOKEN: usize = 100;

/// Limit on ended sessions. Beyond it, all sessions of the token with most of them end.
const MAX_ENDED: usize = 10_000;

/// Times are seconds since 1970, because a session outlives the process.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// The token of the login. The session ends when this token is no longer valid.
    pub token: SecretString,
    claims: Claims,
    used: u64,
    /// The place of the last use among all uses, because many uses can be in one second.
    place: u64,
}

/// The sessions that were used since the start of the process.
pub(super) struct Sessions {
    key: SessionKey,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    open: HashMap<SessionId, Session>,
    /// Sessions that ended before their time, with the token, until that time.
    ended: HashMap<SessionId, (TokenDigest, u64)>,
    /// Tokens whose sessions up to this time have all ended.
    all_ended: HashMap<TokenDigest, u64>,
    /// The uses so far.
    uses: u64,
}

/// Hides the sessions, because a cookie gives access to serve.
impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sessions({})", self.lock().open.len())
    }
}

impl Sessions {
    pub(super) fn new(key: SessionKey) -> Self {
        Self { key, table: Mutex::default() }
    }

    /// Opens a session and returns the value of its cookie.
    ///
    /// # Errors
    /// The system does not provide random numbers.
    pub(super) fn begin(&self, token: SecretString) -> Result<String> {
        self.begin_at(now(), token)
    }

    /// The session of this cookie, unless it has ended. It counts as used now.
    pub(super) fn find(&self, cookie: &str, tokens: &Tokens) -> Option<Session> {
        self.find_at(now(), cookie, tokens)
    }

    /// A new cookie for the session of this one, and its life in seconds; `None` if the browser needs
    /// none.
    pub(super) fn renew(&self, cookie: &str) -> Option<(String, u64)> {
        self.renew_at(now(), cookie)
    }

    /// Ends the session of this cookie. Returns false if it is not valid.
    pub(super) fn end(&self, cookie: &str) -> bool {
        let now = now();
        let Some(claims) = self.key.read(cookie) else { return false };
        let mut table = self.lock();
        let is_alive = table.is_alive(now, &claims);
        table.end(now, &claims);
        is_alive
    }

    fn begin_at(&self, now: u64, token: SecretString) -> Result<String> {
        let digest = self.key.digest(token.expose_secret());
        let mut table = self.lock();
        // A session that begins in the second in which all others ended must be valid.
        let began = table.all_ended.get(&digest).map_or(now, |ended| now.max(ended + 1));
        let claims = Claims { id: SessionKey::new_id()?, began, used: began, token: digest };
        table.add(now, Session { token, claims, used: began, place: 0 });
        Ok(self.key.sign(&claims))
    }

    fn find_at(&self, now: u64, cookie: &str, tokens: &Tokens) -> Option<Session> {
        let claims = self.key.read(cookie)?;
        if let Some(session) = self.lock().used(now, &claims) {
            return Some(session);
        }
        // The session is from before the start, or from another replica.
        let token = tokens.find(|token| self.key.digest(token) == claims.token)?;
        let mut table = self.lock();
        if !table.is_alive(now, &claims) {
            return None;
        }
        let session = Session { token, claims, used: now, place: 0 };
        table.add(now, session.clone());
        Some(session)
    }

    fn renew_at(&self, now: u64, cookie: &str) -> Option<(String, u64)> {
        let claims = self.key.read(cookie)?;
        let is_old = now.saturating_sub(claims.used) >= RENEWAL.as_secs();
        if !is_old || !self.lock().is_alive(now, &claims) {
            return None;
        }
        let left = LIFETIME.as_secs().saturating_sub(now.saturating_sub(claims.began));
        Some((self.key.sign(&Claims { used: now, ..claims }), left))
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }
}

impl Table {
    /// The open session with these claims, used now.
    fn used(&mut self, now: u64, claims: &Claims) -> Option<Session> {
        if !self.is_alive(now, claims) {
            return None;
        }
        let session = self.open.get_mut(&claims.id)?;
        self.uses += 1;
        (session.used, session.place) = (now, self.uses);
        Some(session.clone())
    }

    /// True if a session with these claims has not ended.
    fn is_alive(&self, now: u64, claims: &Claims) -> bool {
        let seen = self.open.get(&claims.id).map_or(claims.used, |session| session.used);
        let used = seen.max(claims.used);
        let is_young = |time: u64, limit: Duration| {
            time <= now + CLOCK_SKEW.as_secs() && now.saturating_sub(time) < limit.as_secs()
        };
        is_young(claims.began, LIFETIME)
            && is_young(used, IDLE_TIMEOUT)
            && !self.ended.contains_key(&claims.id)
            && self.all_ended.get(&claims.token).is_none_or(|ended| claims.began > *ended)
    }

    /// Adds a session as the last one that was used, and ends another one if there are too many.
    fn add(&mut self, now: u64, mut session: Session) {
        let expired: Vec<SessionId> = self
            .open
            .iter()
            .filter(|(_, session)| !self.is_alive(now, &session.claims))
            .map(|(id, _)| *id)
            .collect();
        expired.iter().for_each(|id| drop(self.open.remove(id)));
        let token = session.claims.token;
        let crowded = match self.open.values().filter(|open| open.claims.token == token).count() {
            MAX_PER_TOKEN.. => Some(token),
            _ if self.open.len() >= MAX_SESSIONS => {
                most_frequent(self.open.values().map(|session| session.claims.token))
            }
            _ => None,
        };
        let of_crowded = self.open.values().filter(|open| Some(open.claims.token) == crowded);
        if let Some(oldest) = of_crowded.min_by_key(|open| open.place).map(|open| open.claims) {
            self.end(now, &oldest);
        }
        self.uses += 1;
        session.place = self.uses;
        self.open.insert(session.claims.id, session);
    }

    /// Ends a session before its time.
    fn end(&mut self, now: u64, claims: &Claims) {
        self.open.remove(&claims.id);
        if self.ended.len() >= MAX_ENDED {
            self.ended.retain(|_, (_, until)| *until > now);
            self.all_ended.retain(|_, ended| now.saturating_sub(*ended) < LIFETIME.as_secs());
        }
        if self.ended.len() >= MAX_ENDED
            && let Some(token) = most_frequent(self.ended.values().map(|(token, _)| *token))
        {
            self.all_ended.insert(token, now);
            self.ended.retain(|_, (of, _)| *of != token);
        }
        let until = claims.began.saturating_add(LIFETIME.as_secs());
        self.ended.insert(claims.id, (claims.token, until));
    }
}

fn most_frequent(tokens: impl Iterator<Item = TokenDigest>) -> Option<TokenDigest> {
    let mut counts: HashMap<TokenDigest, usize> = HashMap::new();
    for token in tokens {
        *counts.entry(token).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(token, _)| token)
}

/// The current time, in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
